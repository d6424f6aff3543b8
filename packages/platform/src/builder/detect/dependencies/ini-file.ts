// INI as Python's configparser and buildout read it: `key = value`, continued by indented lines.

export type IniFile = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function readIni(text: string): IniFile {
  const sections: Record<string, Record<string, string>> = {};
  let section: Record<string, string> = {};
  let key: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    if (header !== undefined) {
      section = sections[header.trim()] ??= {};
      key = undefined;
    } else if (/^\s*[#;]/.test(line)) continue;
    else if (/^\s+\S/.test(line) && key !== undefined) section[key] += `\n${line.trim()}`;
    else {
      const [, name, value = ''] = /^([^=:\s][^=:]*?)\s*[+-]?[=:]\s*(.*)$/.exec(line) ?? [];
      if (name === undefined) continue;
      key = name;
      section[key] = value.trim();
    }
  }
  return sections;
}
