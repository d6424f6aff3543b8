// Finds the endpoint for a method and a path. A segment that starts with a colon is a parameter.
import { TandemError } from '@tandem/protocol';

export interface Endpoint<Handler> {
  readonly method: string;
  readonly path: string;
  readonly handle: Handler;
}

export interface Match<Handler> {
  readonly handle: Handler;
  readonly params: Readonly<Record<string, string>>;
}

export class Router<Handler> {
  readonly #endpoints: { endpoint: Endpoint<Handler>; segments: string[] }[];

  constructor(endpoints: readonly Endpoint<Handler>[]) {
    this.#endpoints = endpoints.map((endpoint) => ({
      endpoint,
      segments: endpoint.path.split('/'),
    }));
  }

  /** Throws NOT_FOUND; the first endpoint of the table that fits wins. */
  match(method: string, path: string): Match<Handler> {
    const segments = path.split('/');
    for (const { endpoint, segments: pattern } of this.#endpoints) {
      if (endpoint.method !== method) continue;
      const params = matchSegments(pattern, segments);
      if (params) return { handle: endpoint.handle, params };
    }
    throw new TandemError('NOT_FOUND', `The control API has no ${method} ${path}.`);
  }
}

function matchSegments(pattern: string[], segments: string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (!expected.startsWith(':')) {
      if (expected !== segment) return undefined;
      continue;
    }
    const value = decodeSegment(segment);
    if (value === undefined || value === '') return undefined;
    params[expected.slice(1)] = value;
  }
  return params;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
