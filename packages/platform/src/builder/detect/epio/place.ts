// What a path in epio.ini means: paths are relative to the top of the source, `../data` and `~/data`
// are the directory for files, and `../shortcuts` held Django's own media.
import { normalize } from 'node:path/posix';
import { DATA_DIRECTORY } from './data-directory.ts';
import { foreign } from './interpolation.ts';

/** In the directory for files. */
export function insideData(path: string): string {
  return path === '' ? DATA_DIRECTORY : `${DATA_DIRECTORY}/${path}`;
}

export type Place =
  | { readonly kind: 'source'; readonly path: string }
  | { readonly kind: 'data'; readonly path: string }
  | { readonly kind: 'admin-media' }
  | { readonly kind: 'outside' };

const DATA = /^(?:\.\.\/data|~\/data|\/data)(?:\/|$)/;
const ADMIN_MEDIA = /^\.\.\/shortcuts\/django-admin-media(?:\/|$)/;

/** `path` is '' for the directory itself. */
export function placeIn(value: string): Place {
  if (value.startsWith(foreign('django_admin_media'))) return { kind: 'admin-media' };
  const path = tidy(value);
  if (ADMIN_MEDIA.test(path)) return { kind: 'admin-media' };
  if (DATA.test(path)) return { kind: 'data', path: path.replace(DATA, '') };
  if (/^(?:\/|~|\.\.(?:\/|$))/.test(path)) return { kind: 'outside' };
  return { kind: 'source', path };
}

function tidy(value: string): string {
  const path = normalize(value.trim()).replace(/\/+$/, '');
  return path === '.' ? '' : path;
}
