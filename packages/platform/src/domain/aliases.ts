// Names under which a project reads what the platform hands out under another.

/** Name that the project reads -> name that has the value. */
export type Aliases = Readonly<Record<string, string>>;

/** Values for those names; one whose source has none is left out. Pure. */
export function aliasValues(
  aliases: Aliases,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(aliases).flatMap(([name, from]) => {
      const value = values[from];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
