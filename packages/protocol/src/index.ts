export * from './api.ts';
export * from './error-codes.ts';
export * from './run-frames.ts';
export * from './tandem-error.ts';
export * from './upload-limits.ts';
