// The order of Debian's version numbers.
// https://www.debian.org/doc/debian-policy/ch-controlfields.html#version

export function compareDebianVersions(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  return (
    a.epoch - b.epoch || comparePart(a.upstream, b.upstream) || comparePart(a.revision, b.revision)
  );
}

function partsOf(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(version) ?? [];
  const dash = rest.lastIndexOf('-');
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  return { epoch: Number(epoch), upstream, revision: dash < 0 ? '' : rest.slice(dash + 1) };
}

/** Texts and numbers in turns, beginning with a text that may be empty. */
function comparePart(one: string, other: string): number {
  const pieces = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const [a, b] = [alternate(pieces(one)), alternate(pieces(other))];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [left = '', right = ''] = [a[index], b[index]];
    const order = index % 2 === 0 ? compareText(left, right) : compareNumber(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

function alternate(pieces: readonly string[]): readonly string[] {
  return /^\d/.test(pieces[0] ?? '') ? ['', ...pieces] : pieces;
}

function compareNumber(one: string, other: string): number {
  const [a, b] = [BigInt(one || '0'), BigInt(other || '0')];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `~` before the end of the text, the end before letters, letters before all else. */
function compareText(one: string, other: string): number {
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const order = rank(one[index]) - rank(other[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function rank(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === '~') return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}
