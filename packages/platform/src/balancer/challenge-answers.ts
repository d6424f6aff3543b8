// What certificate authorities ask for over HTTP: answered before any route of the host, so that no
// app, no redirect and no maintenance page stands in the way of a certificate.
import type { BalancerChallenge } from '../domain/route-table.ts';
import { HTTP_CHALLENGE_PATH } from '../ports/certificate-authority.ts';

export class ChallengeAnswers {
  /** `HOST/path` -> what is looked for there. */
  readonly #answers: ReadonlyMap<string, string>;

  private constructor(answers: ReadonlyMap<string, string>) {
    this.#answers = answers;
  }

  /** Undefined when there is nothing to answer, as nearly always. */
  static of(challenges: readonly BalancerChallenge[]): ChallengeAnswers | undefined {
    const answers = new Map<string, string>();
    for (const challenge of challenges) {
      if (challenge.kind !== 'http-01') continue;
      const { host, token, content } = challenge;
      answers.set(`${host}${HTTP_CHALLENGE_PATH}${token}`, content);
    }
    return answers.size === 0 ? undefined : new ChallengeAnswers(answers);
  }

  find(host: string | undefined, path: string): string | undefined {
    return path.startsWith(HTTP_CHALLENGE_PATH) ? this.#answers.get(`${host}${path}`) : undefined;
  }
}
