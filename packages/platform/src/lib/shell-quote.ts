// For the few places where a command line is text by contract (a Procfile line): argv as one line
// that a shell reads back word for word.

export function shellQuote(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  return /^[A-Za-z0-9_\-./:=@,+]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
