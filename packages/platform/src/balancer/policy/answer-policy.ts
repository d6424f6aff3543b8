// What a policy makes of the answers of an app: their headers, HSTS, compression.
import type { RoutePolicy } from '../../domain/route-policy.ts';
import type { AnswerChanges, AnswerLayer, FieldChange } from '../answer-changes.ts';
import type { ClientExchange } from '../client-exchange.ts';
import { type ResponseHead, withFieldLines } from '../http1/response-head.ts';
import { isCompressible, preferredCoding, variesByCoding, withVary } from './compression.ts';
import { CompressedAnswer } from './compressed-answer.ts';
import type { Compressors } from './compressors.ts';
import { fieldChange } from './field-changes.ts';
import { strictTransportField } from './https-redirect.ts';

export class AnswerPolicy implements AnswerChanges {
  readonly #fields: FieldChange | undefined;
  readonly #strictTransport: string | undefined;
  /** Undefined: nothing is compressed. */
  readonly #compressors: Compressors | undefined;

  private constructor(policy: RoutePolicy, compressors: Compressors) {
    this.#fields = policy.responseHeaders && fieldChange(policy.responseHeaders);
    this.#strictTransport = strictTransportField(policy.redirectToHttps);
    this.#compressors = policy.compression === true ? compressors : undefined;
  }

  /** Undefined when answers go on as they are. */
  static of(policy: RoutePolicy, compressors: Compressors): AnswerPolicy | undefined {
    const one = new AnswerPolicy(policy, compressors);
    return one.#fields || one.#strictTransport || one.#compressors ? one : undefined;
  }

  headOf({ origin }: ClientExchange, head: ResponseHead): ResponseHead {
    const changed = withFieldLines(head, (received) => {
      const fields = this.#fields?.(received) ?? received;
      // Where the app or the headers of the route say it themselves, they mean it.
      const isMissing = origin.proto === 'https' && !/^strict-transport-security:/im.test(fields);
      return isMissing ? fields + (this.#strictTransport ?? '') : fields;
    });
    return this.#compressors !== undefined && variesByCoding(changed) ? withVary(changed) : changed;
  }

  layerOf(
    exchange: ClientExchange,
    head: ResponseHead,
    onRoom: () => void,
  ): AnswerLayer | undefined {
    if (this.#compressors === undefined || this.#compressors.isFull) return undefined;
    if (exchange.head.isHttp10 || !isCompressible(head)) return undefined;
    const coding = preferredCoding(exchange.header('accept-encoding'));
    if (coding === undefined) return undefined;
    return new CompressedAnswer(exchange, { coding, compressors: this.#compressors, onRoom });
  }
}
