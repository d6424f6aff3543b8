// A web command of a Procfile that listens where nobody asks: on another port than ours, or for the
// machine itself only. Flags win over everything that the environment says, so they are rewritten.
import { LIMITS } from '../../domain/limits.ts';

const PORT = String(LIMITS.instance.port);
const SERVER =
  /(?:^|[\s/])(gunicorn|uvicorn|hypercorn|daphne|granian|waitress-serve|fastapi|flask|runserver)\b/;
const BIND = /(\s(?:-b|--bind)(?:\s+|=)|\s-b)(['"]?)([^\s'"]+)\2/g;
const PORT_FLAG = /(\s(?:-p|--port)(?:\s+|=))(['"]?)(\d+)\2(?=\s|$)/g;
const HOST_FLAG =
  /(\s(?:-h|-b|--host|--interface|--bind)(?:\s+|=))(['"]?)(localhost|127\.0\.0\.1|\[?::1\]?)\2(?=\s|$)/g;
const BINDS_WHOLE = new Set(['gunicorn', 'hypercorn']);

export interface Rebound {
  readonly command: string;
  /** `--bind 0.0.0.0:5000`: what was replaced, as written. */
  readonly replaced: readonly string[];
}

export function listeningOnOurPort(command: string): Rebound {
  const server = SERVER.exec(command)?.[1];
  if (server === undefined) return { command, replaced: [] };
  const replaced: string[] = [];
  const put = (whole: string, flag: string, quote: string, value: string, ours: string): string => {
    if (value.includes('$PORT') || value.includes('${PORT') || value === ours) return whole;
    // A socket of its own for something beside it is not ours to move.
    if (value.startsWith('unix:') && command.match(BIND)?.length !== 1) return whole;
    replaced.push(whole.trim());
    return `${flag}${quote}${ours}${quote}`;
  };
  const rewritten = BINDS_WHOLE.has(server)
    ? command.replace(BIND, (whole, flag: string, quote: string, value: string) =>
        put(whole, flag, quote, value, `[::]:${PORT}`),
      )
    : command
        .replace(PORT_FLAG, (whole, flag: string, quote: string, value: string) =>
          put(whole, flag, quote, value, PORT),
        )
        .replace(HOST_FLAG, (whole, flag: string, quote: string, value: string) =>
          put(whole, flag, quote, value, server === 'daphne' ? '0.0.0.0' : '::'),
        );
  return { command: rewritten, replaced };
}
