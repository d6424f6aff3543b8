import { describe, expect, it } from 'vitest';
import { Output } from '../output/output.ts';
import { tellAfterBuild, tellFindings } from './tell-findings.ts';

const told = (tell: (output: Output) => void): string => {
  let text = '';
  const screen = { write: (part: string) => (text += part) };
  const options = { stdout: screen, stderr: screen, json: false, verbose: false, color: false };
  tell(new Output(options));
  return text;
};

describe('tellFindings', () => {
  it('groups them, whatever their order, and says how sure each is', () => {
    const text = told((output) => {
      tellFindings(output, [
        { rule: 'process', value: 'worker: celery', why: 'named', evidence: 'Procfile:2' },
        { rule: 'framework', value: 'django', why: 'manage.py', confidence: 'certain' },
        { rule: 'ALLOWED_HOSTS', value: 'a', why: 'the own hosts' },
        { rule: 'root', value: '.', why: 'holds\u001b[2J it', confidence: 'guess' },
        { rule: 'python', value: '3.12', why: 'default', evidence: 'x:1', confidence: 'likely' },
      ]);
    });
    expect(text).toBe(
      [
        'Project  framework django: manage.py',
        '         root . (guess): holds it',
        'Build    python 3.12 (x:1, likely): default',
        'Runs     process worker: celery (Procfile:2): named',
        'Settings ALLOWED_HOSTS a: the own hosts',
        '',
      ].join('\n'),
    );
  });

  it('is honest about what only a build can tell', () => {
    const of = (value: string) =>
      told((output) => tellAfterBuild(output, [{ rule: 'framework', value, why: '' }]));
    expect(of('django')).toMatch(/^Later {4}known after the build: .*databases/);
    expect(of('flask')).toContain('imported');
  });
});
