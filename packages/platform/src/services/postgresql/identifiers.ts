// Names inside the cluster. Apps never choose one: they follow from the app's id, which is never
// used again.

/** The cluster's superuser; only the platform logs in as it. */
export const ADMIN_ROLE = 'tandem';

/** Where the platform works; no app may connect to it, so nothing in it is an app's. */
export const ADMIN_DATABASE = 'postgres';

/** Role and database of an app share this name, which is what `sameuser` in pg_hba.conf asks. */
export function appIdentifier(appId: number): string {
  if (!Number.isSafeInteger(appId) || appId < 0) throw new RangeError(`no app id: ${appId}`);
  return `app_${appId}`;
}

export function quoteIdentifier(name: string): string {
  if (name.includes('\0')) throw new RangeError('a NUL cannot stand in an identifier');
  return `"${name.replaceAll('"', '""')}"`;
}

/** Valid because the server runs with standard_conforming_strings, its default. */
export function quoteLiteral(value: string): string {
  if (value.includes('\0')) throw new RangeError('a NUL cannot stand in a literal');
  return `'${value.replaceAll("'", "''")}'`;
}
