// `$X`, `${X:-y}` in compose files, Dockerfiles and shell scripts. Nobody sets anything here: a
// default that the file gives counts, everything else stays unknown.

export interface Interpolated {
  readonly text: string;
  /** Nothing of it comes from outside. */
  readonly isFixed: boolean;
}

const VARIABLE = /\$\$|\$\{([A-Za-z_]\w*)(?:(:?[-?+])([^{}]*))?\}|\$([A-Za-z_]\w*)|\$\{|\$\(/g;

/** `values`: what the file itself sets. */
export function interpolate(
  text: string,
  values: ReadonlyMap<string, string> = new Map(),
): Interpolated {
  let isFixed = true;
  const replaced = text.replace(
    VARIABLE,
    (whole: string, braced?: string, sign?: string, other?: string, plain?: string): string => {
      if (whole === '$$') return '$';
      const name = braced ?? plain;
      const known = name === undefined ? undefined : values.get(name);
      if (known !== undefined && sign !== ':+' && sign !== '+') return known;
      if (sign === ':-' || sign === '-') {
        const inner = interpolate((other ?? '').replaceAll(/["']/g, ''), values);
        isFixed &&= inner.isFixed;
        return inner.text;
      }
      isFixed = false;
      return name === undefined ? whole : `$${name}`;
    },
  );
  return { text: replaced, isFixed };
}
