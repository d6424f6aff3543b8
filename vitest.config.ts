import { defineConfig } from 'vitest/config';

/** Tests with real parts: slow, and one file at a time so that they do not starve each other. */
const realParts = { testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false };

/**
 * Unit tests stand beside their source; the others use real parts. e2e and faults each have a whole
 * installation, so that what one of them breaks on purpose is not the other's. `long` is for
 * `script/test --all` only.
 */
export default defineConfig({
  resolve: { conditions: ['development'] },
  ssr: { resolve: { conditions: ['development'] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'test/support/**/*.test.ts',
            'script/**/*.test.ts',
            'benchmarks/**/*.test.ts',
            'fuzz/**/*.test.ts',
          ],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          ...realParts,
          // Most of their time they wait; and whatever disturbs another file is a defect.
          fileParallelism: true,
          maxWorkers: 2,
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/shared-installation.ts'],
          ...realParts,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/support/shared-installation.ts'],
          ...realParts,
        },
      },
      {
        extends: true,
        test: { name: 'long', include: ['test/long/**/*.test.ts'], ...realParts },
      },
    ],
  },
});
