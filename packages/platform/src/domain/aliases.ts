// Names under which a project reads what the platform hands out under another.

/**
 * Name that the project reads -> name that has the value. `DATABASE_URL+asyncpg` is the URL with that
 * driver in its scheme, as SQLAlchemy reads it.
 */
export type Aliases = Readonly<Record<string, string>>;

/** Values for those names; one whose source has none is left out. Pure. */
export function aliasValues(
  aliases: Aliases,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(aliases).flatMap(([name, from]) => {
      const [source = '', driver] = from.split('+');
      const value = values[source];
      return value === undefined ? [] : [[name, driver ? withDriver(value, driver) : value]];
    }),
  );
}

/** One that names a driver keeps it. */
function withDriver(url: string, driver: string): string {
  return url.replace(/^postgres(?:ql)?:\/\//, `postgresql+${driver}://`);
}
