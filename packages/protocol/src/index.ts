export * from './api.ts';
export * from './error-codes.ts';
export * from './tandem-error.ts';
