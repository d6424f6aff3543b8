// The commands, in the order of the help.
import type { Verb } from '../verb.ts';
import { apps } from './apps.ts';
import { balancer } from './balancer.ts';
import { config } from './config.ts';
import { deploy } from './deploy.ts';
import { deploys } from './deploys.ts';
import { destroy } from './destroy.ts';
import { detect } from './detect.ts';
import { doctor } from './doctor.ts';
import { domains } from './domains.ts';
import { explain } from './explain.ts';
import { login } from './login.ts';
import { logs } from './logs.ts';
import { maintenance } from './maintenance.ts';
import { open } from './open.ts';
import { ps } from './ps.ts';
import { releases } from './releases.ts';
import { restart } from './restart.ts';
import { rollback } from './rollback.ts';
import { run } from './run.ts';
import { scale } from './scale.ts';
import { status } from './status.ts';

export interface VerbGroup {
  readonly title: string;
  readonly verbs: readonly Verb[];
}

export const VERB_GROUPS: readonly VerbGroup[] = [
  { title: 'Daily work', verbs: [deploy, logs, ps, run, config, scale, restart, open] },
  { title: 'Releases', verbs: [releases, rollback, deploys, explain] },
  { title: 'Apps', verbs: [apps, domains, maintenance, detect, destroy] },
  { title: 'Platform', verbs: [status, doctor, login, balancer] },
];
