// Counts branches of the balancer as its files are loaded. Import it before anything that imports them.
// (The fuzzer made for this, @jazzer.js, has a native part that wants a newer glibc than Debian 12 has.)
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { COUNTERS_NAME, newProbe } from './coverage.ts';

const INSTRUMENTED = /\/packages\/platform\/src\/(?:balancer|domain)\/.*(?<!\.test)\.ts$/;
const LOCAL_NAME = '$counters';
const { factory } = ts;

registerHooks({
  load(url, context, nextLoad) {
    if (!INSTRUMENTED.test(url)) return nextLoad(url, context);
    const path = fileURLToPath(url);
    return {
      format: 'module',
      source: instrument(readFileSync(path, 'utf8'), path),
      shortCircuit: true,
    };
  },
});
process.setSourceMapsEnabled(true);

function instrument(source: string, fileName: string): string {
  const { outputText } = ts.transpileModule(source, {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
      inlineSources: true,
    },
    transformers: { before: [countBranches] },
  });
  return outputText;
}

function countBranches(context: ts.TransformationContext): (file: ts.SourceFile) => ts.SourceFile {
  const visit = (node: ts.Node): ts.Node => withProbes(ts.visitEachChild(node, visit, context));
  return (file) => {
    const { statements } = ts.visitEachChild(file, visit, context);
    return factory.updateSourceFile(file, [declareCounters(), ...statements]);
  };
}

/** `node` with a counter at each way that leads into a part of it. */
function withProbes(node: ts.Node): ts.Node {
  if (ts.isIfStatement(node)) {
    const { expression, thenStatement, elseStatement } = node;
    const otherwise = counted(elseStatement ?? factory.createBlock([]));
    return factory.updateIfStatement(node, expression, counted(thenStatement), otherwise);
  }
  if (ts.isConditionalExpression(node)) {
    const { condition, questionToken, whenTrue, colonToken, whenFalse } = node;
    const [yes, no] = [countedValue(whenTrue), countedValue(whenFalse)];
    return factory.updateConditionalExpression(node, condition, questionToken, yes, colonToken, no);
  }
  if (ts.isBinaryExpression(node) && isShortCircuit(node.operatorToken.kind)) {
    const { left, operatorToken, right } = node;
    return factory.updateBinaryExpression(node, left, operatorToken, countedValue(right));
  }
  if (ts.isCaseClause(node))
    return factory.updateCaseClause(node, node.expression, [probe(), ...node.statements]);
  if (ts.isDefaultClause(node))
    return factory.updateDefaultClause(node, [probe(), ...node.statements]);
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
    const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken, body } = node;
    const value = countedValue(body);
    return factory.updateArrowFunction(
      ...[node, modifiers, typeParameters, parameters, type, equalsGreaterThanToken, value],
    );
  }
  // Bodies of functions and of loops; those of `if` are counted twice, which does no harm.
  return ts.isBlock(node) ? counted(node) : node;
}

const isShortCircuit = (kind: ts.SyntaxKind): boolean =>
  kind === ts.SyntaxKind.AmpersandAmpersandToken ||
  kind === ts.SyntaxKind.BarBarToken ||
  kind === ts.SyntaxKind.QuestionQuestionToken;

function counted(statement: ts.Statement): ts.Block {
  return ts.isBlock(statement)
    ? factory.updateBlock(statement, [probe(), ...statement.statements])
    : factory.createBlock([probe(), statement]);
}

const countedValue = (value: ts.Expression): ts.Expression =>
  factory.createParenthesizedExpression(factory.createComma(increment(), value));

const probe = (): ts.Statement => factory.createExpressionStatement(increment());

function increment(): ts.Expression {
  const counters = factory.createIdentifier(LOCAL_NAME);
  return factory.createPostfixIncrement(
    factory.createElementAccessExpression(counters, newProbe()),
  );
}

/** A variable of the module is quicker than a global one. */
function declareCounters(): ts.Statement {
  const value = factory.createPropertyAccessExpression(
    factory.createIdentifier('globalThis'),
    COUNTERS_NAME,
  );
  const declaration = factory.createVariableDeclaration(LOCAL_NAME, undefined, undefined, value);
  return factory.createVariableStatement(
    undefined,
    factory.createVariableDeclarationList([declaration], ts.NodeFlags.Const),
  );
}
