// Adds up what Vitest's JSON reporter says. Honest by construction: no tests, an unreadable report
// or a skip that nobody allowed are failures.
export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  /** For people; each begins with the name of the project. */
  readonly remarks: readonly string[];
}

/** Full names of tests that may be skipped, with the reason. Empty, and meant to stay so. */
export const ALLOWED_SKIPS: Readonly<Record<string, string>> = {};

interface JsonReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** Lines of a failure that the remark repeats: the message and where it was; the rest is above. */
const FAILURE_LINES = 12;

export function readReport(
  project: string,
  text: string | undefined,
  allowedSkips: Readonly<Record<string, string>> = ALLOWED_SKIPS,
): SuiteResult {
  const report = parse(text);
  if (!report) return { passed: 0, failed: 1, remarks: [`${project}: Vitest left no report`] };

  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const failedTests = tests.filter(({ status }) => status === 'failed');
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const refused = skipped.filter(({ fullName }) => !(fullName in allowedSkips));
  // A file that cannot be loaded, or whose hooks fail, has no failed test to show for it.
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((each) => each.status === 'failed'),
  );
  const remarks = [
    ...failedTests.map(
      ({ fullName, failureMessages }) =>
        `${project}: failed: ${fullName}${beginning(failureMessages ?? [])}`,
    ),
    ...skipped.map(
      ({ fullName }) => `${project}: skipped: ${fullName}: ${reason(fullName, allowedSkips)}`,
    ),
    ...brokenFiles.map(
      ({ name, message }) => `${project}: ${name}: ${message?.split('\n')[0] ?? 'failed'}`,
    ),
    ...(tests.length === 0 ? [`${project}: no test was run`] : []),
  ];
  const failed =
    failedTests.length + refused.length + brokenFiles.length + (tests.length === 0 ? 1 : 0);
  // An error outside of any test (an unhandled rejection) also makes the run a failure.
  if (failed === 0 && !report.success) {
    return {
      passed,
      failed: 1,
      remarks: [...remarks, `${project}: an error outside of the tests`],
    };
  }
  return { passed, failed, remarks };
}

function beginning(messages: readonly string[]): string {
  const lines = messages.join('\n').split('\n').slice(0, FAILURE_LINES);
  return lines.map((line) => `\n    ${line}`).join('');
}

function reason(fullName: string, allowedSkips: Readonly<Record<string, string>>): string {
  return allowedSkips[fullName] ?? 'not allowed to be skipped';
}

function parse(text: string | undefined): JsonReport | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as JsonReport);
  } catch {
    return undefined;
  }
}
