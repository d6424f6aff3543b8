/** Text as a pattern that matches it and nothing else. */
export function escapeRegexp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
