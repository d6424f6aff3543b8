// Put in by the build; a command run from its source says so.
declare const TANDEM_VERSION: string | undefined;

export const VERSION = typeof TANDEM_VERSION === 'string' ? TANDEM_VERSION : '0.0.0-source';
