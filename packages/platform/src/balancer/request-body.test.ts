import { describe, expect, it } from 'vitest';
import { LIMITS } from '../domain/limits.ts';
import { type BodySink, requestBodyOf } from './request-body.ts';

class Sink implements BodySink {
  text = '';
  ended = 0;
  takesMore = true;

  onBody(bytes: Buffer): boolean {
    this.text += bytes.toString('latin1');
    return this.takesMore;
  }

  onBodyEnd(): void {
    this.ended += 1;
  }
}

const limits = { ...LIMITS.balancer, smallBodyBytesMax: 10 };
const length = (bytes: number) => requestBodyOf({ kind: 'length', bytes }, limits);
const chunked = () => requestBodyOf({ kind: 'chunked' }, limits);

describe('a body of known length', () => {
  it('is read ahead when it is small', () => {
    const body = length(5);
    expect([body.take(Buffer.from('ab'), 0), body.isComplete, body.whole()]).toEqual([
      ...[2, false, undefined],
    ]);
    expect(body.take(Buffer.from('xxcdeGET'), 2)).toBe(5);
    expect([body.isComplete, body.isReadAhead, body.whole()?.toString()]).toEqual([
      ...[true, true, 'abcde'],
    ]);
    expect(body.whole()?.toString()).toBe('abcde');
  });

  it('is handed on when it is large, what came before too', () => {
    const body = length(12);
    const sink = new Sink();
    body.take(Buffer.from('0123'), 0);
    expect(body.isReadAhead).toBe(false);
    body.attach(sink);
    expect([sink.text, sink.ended]).toEqual(['0123', 0]);
    expect(body.take(Buffer.from('456789abNEXT'), 0)).toBe(8);
    expect([sink.text, sink.ended, body.isComplete]).toEqual(['0123456789ab', 1, true]);
  });

  it('ends at once for a sink that comes late', () => {
    const body = length(11);
    const sink = new Sink();
    body.take(Buffer.from('0123456789a'), 0);
    body.attach(sink);
    expect([sink.text, sink.ended]).toEqual(['0123456789a', 1]);
  });

  it('is full when nobody takes it, or its reader wants a pause', () => {
    const body = length(100);
    const sink = new Sink();
    body.take(Buffer.from('0123456789'), 0);
    expect(body.isFull).toBe(true);
    body.attach(sink);
    expect(body.isFull).toBe(false);
    sink.takesMore = false;
    body.take(Buffer.from('0'), 0);
    expect(body.isFull).toBe(true);
    body.resume();
    expect(body.isFull).toBe(false);
  });

  it('of no bytes is complete', () => {
    expect([length(0).isComplete, length(0).whole()]).toEqual([true, undefined]);
    expect(requestBodyOf({ kind: 'none' }, limits).isComplete).toBe(true);
  });
});

describe('a chunked body', () => {
  it('is handed on in its chunks, less their extensions', () => {
    const body = chunked();
    const sink = new Sink();
    body.attach(sink);
    body.take(Buffer.from('2;x\r\nab\r\n'), 0);
    expect(body.take(Buffer.from('0\r\nA: b\r\nHost: c\r\n\r\nGET'), 0)).toBe(20);
    expect([sink.text, sink.ended]).toEqual(['2\r\nab\r\n0\r\nA: b\r\n\r\n', 1]);
  });

  it('that is none is found out', () => {
    expect(chunked().take(Buffer.from('x\r\n'), 0)).toBeLessThan(0);
  });
});
