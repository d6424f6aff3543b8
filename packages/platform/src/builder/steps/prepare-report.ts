// What `tandem_runtime.prepare` reports. The project's code ran beside it, so it is checked as
// hostile input.
import * as v from 'valibot';

const Name = v.pipe(v.string(), v.maxLength(300));
const ModuleName = v.pipe(v.string(), v.regex(/^[\w.]{1,300}$/));
const Entry = v.object({
  module: ModuleName,
  attribute: ModuleName,
  kind: v.picklist(['wsgi', 'asgi']),
});

const AbsolutePath = v.pipe(v.string(), v.regex(/^\/[^\0\n]{0,1000}$/));

const Report = v.object({
  stage: v.picklist(['start', 'settings', 'setup', 'entry', 'static', 'done']),
  notes: v.array(v.object({ rule: Name, value: Name, why: v.pipe(v.string(), v.maxLength(2000)) })),
  error: v.optional(v.object({ type: Name, message: v.string() })),
  entry: v.nullish(Entry),
  djangoVersion: v.optional(Name),
  debug: v.optional(v.boolean()),
  /** A setting names the app's Redis. */
  redis: v.optional(v.boolean()),
  /** Some cache keeps its entries in a table. */
  cacheTable: v.optional(v.boolean()),
  databases: v.optional(v.record(Name, v.object({ engine: Name, host: Name }))),
  asgiApplication: v.nullish(Name),
  installedApps: v.optional(v.array(Name)),
  middleware: v.optional(v.array(Name)),
  overrides: v.optional(v.array(v.object({ setting: Name, value: v.string(), why: v.string() }))),
  migrations: v.optional(v.array(v.pipe(v.string(), v.regex(/^\w{1,200}\.[^\s/]{1,200}$/)))),
  /** Of Django, when it keeps uploads on disk. */
  media: v.nullish(
    v.object({ root: AbsolutePath, url: v.nullish(v.string()), isServedByApp: v.boolean() }),
  ),
  /** Folders that the application serves itself. */
  staticFolders: v.nullish(v.array(v.object({ url: Name, directory: AbsolutePath }))),
  /** Log files and SQLite databases of the settings. */
  dataFiles: v.optional(v.array(v.object({ path: AbsolutePath, what: Name }))),
  /** Below /app, by the import. */
  written: v.optional(
    v.array(v.object({ path: AbsolutePath, kind: v.picklist(['directory', 'file']) })),
  ),
  static: v.optional(
    v.object({
      url: v.nullish(v.string()),
      root: v.pipe(
        v.string(),
        v.regex(/^\/(static|app)(\/[\w.-]+)*$/),
        v.check((path) => !path.split('/').includes('..')),
      ),
      topFiles: v.optional(v.array(v.picklist(['favicon.ico', 'robots.txt']))),
      fileCount: v.pipe(v.number(), v.integer(), v.minValue(0)),
    }),
  ),
});
export type PrepareReport = v.InferOutput<typeof Report>;

export interface ReadReport {
  readonly report?: PrepareReport;
  /** What is wrong with it. Neither: there is none. */
  readonly flaw?: string;
}

export function parsePrepareReport(text: string | undefined): ReadReport {
  if (text === undefined) return {};
  try {
    const result = v.safeParse(Report, JSON.parse(text));
    if (result.success) return { report: result.output };
    const [issue] = result.issues;
    return { flaw: `${v.getDotPath(issue) ?? 'report'}: ${issue.message}` };
  } catch (error) {
    return { flaw: String(error) };
  }
}
