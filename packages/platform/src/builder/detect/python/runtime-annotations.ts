// The annotations of one logical line that Python evaluates when it imports the module: of parameters
// and results, and of names at the top. Strings in it are emptied, so what they hold is not seen.

export function annotationsOf(code: string, indent: number): string[] {
  const signature = /^(?:async\s+)?def\s+\w+\s*(?:\[[^\]]*\])?\s*\(/.exec(code);
  if (signature !== null) return ofSignature(code, signature[0].length);
  // Inside a function they are not evaluated, and below a class one cannot tell by a line.
  const named = indent === 0 ? /^[A-Za-z_]\w*\s*:\s*([^=]+)/.exec(code) : null;
  return named === null || /^(else|try|finally)\s*:/.test(code) ? [] : [named[1] ?? ''];
}

function ofSignature(code: string, start: number): string[] {
  const found: string[] = [];
  let depth = 1;
  let part = start;
  let at = start;
  for (; at < code.length && depth > 0; at += 1) {
    const character = code[at] ?? '';
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth -= 1;
    const ends = depth === 0 || (depth === 1 && character === ',');
    if (!ends) continue;
    found.push(...ofParameter(code.slice(part, at)));
    part = at + 1;
  }
  const result = /^\s*->\s*(.+?):?\s*$/.exec(code.slice(at))?.[1];
  return result === undefined ? found : [...found, withoutBody(result)];
}

function ofParameter(text: string): string[] {
  const annotation = /^\s*\*{0,2}\w+\s*:\s*([\s\S]*)$/.exec(text)?.[1];
  return annotation === undefined ? [] : [annotation.split(/(?<![=!<>])=(?!=)/)[0] ?? ''];
}

/** `-> int: return 1` stands on one line. */
function withoutBody(text: string): string {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if ('([{'.includes(text[at] ?? '')) depth += 1;
    if (')]}'.includes(text[at] ?? '')) depth -= 1;
    if (depth === 0 && text[at] === ':') return text.slice(0, at);
  }
  return text;
}
