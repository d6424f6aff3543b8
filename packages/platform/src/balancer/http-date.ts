// The Date field (RFC 9110 section 6.6.1), made once a second.

let second = 0;
let text = '';

export function httpDate(nowMs: number): string {
  const nowSecond = Math.floor(nowMs / 1_000);
  if (nowSecond !== second) {
    second = nowSecond;
    text = new Date(nowMs).toUTCString();
  }
  return text;
}
