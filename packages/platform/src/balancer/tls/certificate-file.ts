// The last certificates with their keys, in a place that is memory: readable by the balancer alone, and
// gone with the boot. Ticket keys are not among them, so what was recorded yesterday stays unreadable.
import * as v from 'valibot';
import { CertificateMessage } from '../../ports/certificate-messages.ts';
import { StateFile, type StateFileOptions } from '../state-file.ts';
import type { KeptState } from './kept-certificates.ts';

const KeptStateSchema = v.object({
  run: v.string(),
  epoch: v.number(),
  certificates: v.array(CertificateMessage),
}) as v.GenericSchema<unknown, KeptState>;

export class CertificateFile extends StateFile<KeptState> {
  constructor(options: Pick<StateFileOptions<KeptState>, 'path' | 'take' | 'log'>) {
    super({
      ...options,
      what: 'certificates',
      schema: KeptStateSchema,
      versionOf: ({ run, epoch }) => `${run} ${epoch}`,
    });
  }
}
