// `tandem doctor`: what the machine can do, what is missing, and how to mend it.
import { EXIT } from '../exit-codes.ts';
import type { Verb } from '../verb.ts';

const SIGN = { ok: ['ok', 'green'], warning: ['warn', 'yellow'], failed: ['FAIL', 'red'] } as const;

export const doctor: Verb = {
  name: 'doctor',
  summary: "Check what the platform's machine can do and what is in the way.",
  scope: 'platform',
  async run({ session }) {
    const { output } = session;
    const checks = await (await session.client()).doctor();
    output.document({ checks });
    const width = Math.max(0, ...checks.map(({ name }) => name.length));
    for (const { name, state, detail, fix } of checks) {
      const [sign, paint] = SIGN[state];
      output.text(`${output.paint(paint, sign.padEnd(4))}  ${name.padEnd(width)}  ${detail}`);
      if (fix !== undefined && state !== 'ok')
        output.text(`      ${''.padEnd(width)}  Fix: ${fix}`);
    }
    return checks.some(({ state }) => state === 'failed') ? EXIT.userError : EXIT.ok;
  },
};
