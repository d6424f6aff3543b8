// Slots of the machine, 0 to 255: one file each in /var/lib/tandem-slots. The file appears whole
// under its name or not at all (link(2)), so two installations never hold the same slot.
import { link, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { TandemError } from '@tandem/protocol';

const SLOT_COUNT = 256;

const SlotClaim = v.object({ name: v.string(), dataRoot: v.string(), runRoot: v.string() });

/** Who holds a slot, and where its things are: enough to take an installation down by name. */
export type SlotClaim = v.InferOutput<typeof SlotClaim>;

export interface HeldSlot extends SlotClaim {
  readonly slot: number;
}

export class SlotRegistry {
  readonly #directory: string;

  constructor(directory = '/var/lib/tandem-slots') {
    this.#directory = directory;
  }

  async find(name: string): Promise<HeldSlot | undefined> {
    return (await this.list()).find((held) => held.name === name);
  }

  async list(): Promise<HeldSlot[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const slots = names.filter((name) => /^\d+$/.test(name)).map(Number);
    const held = await Promise.all(slots.map((slot) => this.#read(slot)));
    return held.filter((each) => each !== undefined).sort((a, b) => a.slot - b.slot);
  }

  /** The lowest free slot. The caller sees to it that `name` is not claimed twice. */
  async claim(claim: SlotClaim): Promise<number> {
    await mkdir(this.#directory, { recursive: true, mode: 0o755 });
    const draft = join(this.#directory, `.${randomBytes(6).toString('hex')}`);
    await writeFile(draft, JSON.stringify(claim), { flag: 'wx', mode: 0o644, flush: true });
    try {
      for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
        if (await linked(draft, join(this.#directory, String(slot)))) return slot;
      }
    } finally {
      await rm(draft, { force: true });
    }
    throw new TandemError('MACHINE_UNFIT', `All ${SLOT_COUNT} installation slots are taken.`, {
      where: this.#directory,
      hint: 'script/down --purge --installation NAME',
    });
  }

  /** No error when it is free already, or somebody else's. */
  async release(slot: number, name: string): Promise<void> {
    const held = await this.#read(slot);
    if (held?.name === name) await rm(join(this.#directory, String(slot)), { force: true });
  }

  async #read(slot: number): Promise<HeldSlot | undefined> {
    const text = await readFile(join(this.#directory, String(slot)), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), SlotClaim), text);
    return parsed.success ? { slot, ...parsed.output } : undefined;
  }
}

async function linked(draft: string, target: string): Promise<boolean> {
  try {
    await link(draft, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
