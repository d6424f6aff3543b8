import { defineConfig } from 'vitest/config';

/** Tests with real parts: slow, and one file at a time so that they do not starve each other. */
const realParts = { testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false };

/**
 * Unit tests stand beside their source; integration and e2e use real parts. `long` is for
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
        test: { name: 'long', include: ['test/long/**/*.test.ts'], ...realParts },
      },
    ],
  },
});
