import { describe, expect, it } from 'vitest';
import { headerNameComplaint } from '../../domain/route-policy.ts';
import { FieldRole, roleOf } from '../http1/field-role.ts';
import { fieldChange } from './field-changes.ts';

describe('fieldChange', () => {
  it('is none when nothing is to change', () => {
    expect(fieldChange({})).toBeUndefined();
    expect(fieldChange({ set: {}, remove: [] })).toBeUndefined();
  });

  it('replaces, adds and removes, whatever the case', () => {
    const change = fieldChange({ set: { A: '1' }, add: { B: '2' }, remove: ['C'] }, ['d']);
    expect(change?.('a: 0\r\nb: 0\r\nc: 0\r\nD: 0\r\ne: 0\r\na: 00\r\n')).toBe(
      'b: 0\r\ne: 0\r\nA: 1\r\nB: 2\r\n',
    );
    expect(fieldChange({ add: { B: '2' } })?.('')).toBe('B: 2\r\n');
  });
});

it('no field that means something to the balancer can be changed', () => {
  for (const name of [
    ...['host', 'content-length', 'transfer-encoding', 'connection', 'expect', 'upgrade', 'te'],
    ...['keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'trailer'],
    ...['http2-settings', 'x-request-id', 'date', 'max-forwards', 'forwarded', 'x-real-ip'],
    ...['x-request-start', 'x-scheme', 'x-url-scheme', 'front-end-https', 'x-forwarded-for'],
  ]) {
    const bytes = Buffer.from(name);
    const role = roleOf(bytes, 0, bytes.length);
    expect(role, name).not.toBe(FieldRole.other);
    expect(headerNameComplaint(name), name).toBeDefined();
  }
});
