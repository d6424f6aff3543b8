// A Django site that runs whatever Python it is sent: a hostile app, or a witness in its victim.
import type { TestInstallation } from './installation.ts';
import { withFolder, type Files } from './standing-site.ts';
import { TINY_DJANGO } from './tiny-projects.ts';

const VIEW = `import json
import traceback

from django.http import HttpResponse
from django.urls import path


def do(request):
    scope = {"done": None}
    try:
        exec(request.body.decode(), scope)
        answer = {"done": scope["done"]}
    except BaseException as error:
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    return HttpResponse(json.dumps(answer, default=str), content_type="application/json")


urlpatterns = [path("do", do), path("", lambda request: HttpResponse("served"))]
`;

export interface Doing {
  /** Whatever the code left in `done`. */
  readonly done?: unknown;
  /** `PermissionError: ...` */
  readonly error?: string;
}

export class CommandedSite {
  readonly t: TestInstallation;
  readonly app: string;

  private constructor(t: TestInstallation, app: string) {
    this.t = t;
    this.app = app;
  }

  static async deploy(
    t: TestInstallation,
    app: string,
    changes: Files = {},
  ): Promise<CommandedSite> {
    const files = { ...TINY_DJANGO, 'site_one/urls.py': VIEW, ...changes };
    await withFolder(t, files, (folder) => t.mustTandem(['deploy', folder, '-a', app]));
    return new CommandedSite(t, app);
  }

  /** Runs lines of Python in a web worker. */
  async do(...lines: readonly string[]): Promise<Doing> {
    const body = lines.join('\n');
    const answer = await this.t.request(this.app, '/do', { method: 'POST', body });
    if (answer.status !== 200) return { error: `HTTP ${answer.status}` };
    return JSON.parse(answer.body) as Doing;
  }

  /** What the code leaves in `done`; throws what it throws. */
  async tell(...lines: readonly string[]): Promise<string> {
    const { done, error } = await this.do(...lines);
    if (error !== undefined) throw new Error(`${this.app}: ${error}`);
    return String(done);
  }

  async destroy(): Promise<void> {
    await this.t.mustTandem(['destroy', '-a', this.app, '--confirm', this.app]);
  }
}
