// Global set-up of the e2e and faults projects: one installation for all files of each, because
// bringing one up costs more than most tests.
import type { TestProject } from 'vitest/node';
import { createInstallation, destroyInstallation } from './installation.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const place = await createInstallation();
  project.provide('sharedInstallation', place);
  return async () => {
    await destroyInstallation(place);
  };
}
