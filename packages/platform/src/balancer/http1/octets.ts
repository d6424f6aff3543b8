// Which bytes may stand where in HTTP/1.1 (RFC 9110 section 5.6.2, RFC 9112 sections 2 to 5), as tables.

export const HT = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

const table = (predicate: (octet: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, octet) => Number(predicate(octet)));

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]$/;

/** 1: may stand in a method or field name. 3: so may `_`, but gateways read it as `-`. */
export const TOKEN_OCTETS: Uint8Array = table((octet) => TOKEN.test(String.fromCharCode(octet)));
export const UNDERSCORE = 2;
TOKEN_OCTETS[0x5f] = 1 | UNDERSCORE;

/** Field values and reason phrases: visible ASCII, space, tab, and bytes of other alphabets. */
export const VALUE_OCTETS: Uint8Array = table(
  (octet) => octet === HT || (octet >= SP && octet !== 0x7f),
);

/** Request targets. `#` and backslash mean different things to different readers. */
export const TARGET_OCTETS: Uint8Array = table(
  (octet) => octet > SP && octet < 0x7f && octet !== 0x23 && octet !== 0x5c,
);

/** Value of a hexadecimal digit, or -1. */
export const HEX_VALUES: Int8Array = Int8Array.from({ length: 256 }, (_, octet) => {
  const value = Number.parseInt(String.fromCharCode(octet), 16);
  return Number.isNaN(value) ? -1 : value;
});
