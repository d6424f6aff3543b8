// A marker of pylock.toml, with the choice of groups and extras decided: what is left of it is for the
// Python and the machine, as pip knows it.

/** Names that are installed. */
export interface MarkerChoice {
  readonly groups: readonly string[];
  readonly extras: readonly string[];
}

type Outcome = boolean | string;

const CHOICE = /^["']([^"']*)["']\s+(not\s+)?in\s+(dependency_groups|extras)$/;

/** True: holds always; false: never; else the marker that decides. */
export function decideMarker(marker: string, choice: MarkerChoice): Outcome {
  return new MarkerReader(marker, choice).read();
}

class MarkerReader {
  readonly #tokens: readonly string[];
  readonly #choice: MarkerChoice;
  #at = 0;

  constructor(marker: string, choice: MarkerChoice) {
    this.#tokens = marker.match(/"[^"]*"|'[^']*'|[()]|[^\s()"']+/g) ?? [];
    this.#choice = choice;
  }

  read(): Outcome {
    const terms = [this.#conjunction()];
    while (this.#take('or')) terms.push(this.#conjunction());
    if (terms.includes(true)) return true;
    return joined(terms, 'or', false);
  }

  #conjunction(): Outcome {
    const terms = [this.#term()];
    while (this.#take('and')) terms.push(this.#term());
    if (terms.includes(false)) return false;
    return joined(terms, 'and', true);
  }

  #term(): Outcome {
    if (this.#take('(')) {
      const inner = this.read();
      this.#take(')');
      return typeof inner === 'string' ? `(${inner})` : inner;
    }
    const words: string[] = [];
    for (let word = this.#tokens[this.#at]; word !== undefined; word = this.#tokens[this.#at]) {
      if (['and', 'or', ')'].includes(word)) break;
      words.push(word);
      this.#at += 1;
    }
    return this.#decided(words.join(' '));
  }

  #decided(comparison: string): Outcome {
    const [, name = '', negated, list] = CHOICE.exec(comparison) ?? [];
    if (list === undefined) return comparison;
    const chosen = list === 'extras' ? this.#choice.extras : this.#choice.groups;
    return chosen.includes(name) === (negated === undefined);
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }
}

/** What is neither always nor never so; `neutral` when nothing is left. */
function joined(terms: readonly Outcome[], word: string, neutral: boolean): Outcome {
  const open = terms.filter((term) => typeof term === 'string');
  return open.length === 0 ? neutral : open.join(` ${word} `);
}
