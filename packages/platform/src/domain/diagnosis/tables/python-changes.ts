// What came and went with versions of Python, from its "What's New" documents. A module or name is
// looked up by how the error writes it; `since` and `until` are minor versions: it is there from
// `since` on, and up to and including `until`.

export interface Change {
  readonly since?: string;
  readonly until?: string;
  /** A package that brings it back. */
  readonly backport?: string;
}

const until = (version: string, ...names: string[]): [string, Change][] =>
  names.map((name) => [name, { until: version }]);
const since = (version: string, ...names: string[]): [string, Change][] =>
  names.map((name) => [name, { since: version }]);

export const STDLIB_MODULES: Readonly<Record<string, Change>> = Object.fromEntries([
  ...until('3.8', 'dummy_threading', '_dummy_thread'),
  ...until('3.9', 'formatter', 'parser', 'symbol', '_bootlocale'),
  ...until('3.10', 'binhex'),
  ...until('3.11', 'imp', 'distutils', 'asyncore', 'asynchat', 'smtpd'),
  ...until('3.12', 'cgi', 'cgitb', 'crypt', 'imghdr', 'sndhdr', 'telnetlib', 'uu', 'pipes'),
  ...until('3.12', 'nntplib', 'spwd', 'nis', 'xdrlib', 'audioop', 'chunk', 'aifc', 'sunau'),
  ...until('3.12', 'mailcap', 'lib2to3', 'ossaudiodev', 'msilib'),
  ['zoneinfo', { since: '3.9', backport: 'backports.zoneinfo' }],
  ...since('3.9', 'graphlib'),
  ['tomllib', { since: '3.11', backport: 'tomli' }],
]);

/** Modules that only Python 2 has, and what they are called now. */
export const PYTHON_2_MODULES: Readonly<Record<string, string>> = {
  BaseHTTPServer: 'http.server',
  ConfigParser: 'configparser',
  Cookie: 'http.cookies',
  cPickle: 'pickle',
  cStringIO: 'io',
  HTMLParser: 'html.parser',
  httplib: 'http.client',
  Queue: 'queue',
  SocketServer: 'socketserver',
  StringIO: 'io',
  __builtin__: 'builtins',
  commands: 'subprocess',
  cookielib: 'http.cookiejar',
  htmlentitydefs: 'html.entities',
  thread: '_thread',
  urllib2: 'urllib.request',
  urlparse: 'urllib.parse',
};

/** `module.name`. */
export const STDLIB_NAMES: Readonly<Record<string, Change>> = Object.fromEntries([
  ...until('3.7', 'time.clock', 'cgi.escape', 'platform.linux_distribution', 'platform.dist'),
  ...until('3.8', 'base64.encodestring', 'base64.decodestring', 'fractions.gcd'),
  ...['Mapping', 'MutableMapping', 'Sequence', 'MutableSequence', 'Set', 'MutableSet'].flatMap(
    (name) => until('3.9', `collections.${name}`),
  ),
  ...['Callable', 'Iterable', 'Iterator', 'Hashable', 'Sized', 'Container', 'Generator'].flatMap(
    (name) => until('3.9', `collections.${name}`),
  ),
  ...until('3.10', 'inspect.getargspec', 'inspect.formatargspec', 'asyncio.coroutine'),
  ...until('3.10', 'gettext.lgettext', 'random.jumpahead'),
  ...until('3.11', 'pkgutil.ImpImporter', 'configparser.SafeConfigParser', 'ssl.wrap_socket'),
  ...until('3.11', 'ssl.match_hostname', 'importlib.find_loader', 'locale.format'),
  ...until('3.11', 'unittest._TextTestResult', 'sqlite3.OptimizedUnicode'),
  ...until('3.12', 'unittest.makeSuite', 'unittest.findTestCases', 'locale.resetlocale'),
  ...since('3.9', 'typing.Annotated', 'functools.cache', 'math.lcm', 'random.randbytes'),
  ...since(
    '3.10',
    'typing.TypeAlias',
    'typing.ParamSpec',
    'typing.Concatenate',
    'itertools.pairwise',
  ),
  ...since('3.10', 'types.NoneType', 'types.UnionType', 'dataclasses.KW_ONLY'),
  ...since('3.11', 'enum.StrEnum', 'typing.Self', 'typing.LiteralString', 'typing.Never'),
  ...since('3.11', 'datetime.UTC', 'asyncio.TaskGroup', 'asyncio.timeout', 'asyncio.Runner'),
  ...since('3.11', 'typing.assert_never', 'typing.NotRequired', 'typing.Required', 'typing.Unpack'),
  ...since('3.11', 'contextlib.chdir', 'hashlib.file_digest'),
  ...since('3.12', 'typing.override', 'itertools.batched', 'collections.abc.Buffer'),
  ...since('3.13', 'typing.TypeIs', 'typing.ReadOnly', 'warnings.deprecated', 'copy.replace'),
]);

/** What the parser says, and what the line looks like, of syntax that needs another version. */
export const SYNTAX: readonly {
  readonly says: RegExp;
  readonly line?: RegExp;
  readonly what: string;
  readonly change: Change;
}[] = [
  {
    says: /Missing parentheses in call to '(?:print|exec)'/,
    what: 'print or exec as a statement',
    change: { until: '2.7' },
  },
  {
    says: /multiple exception types must be parenthesized/,
    what: '"except X, name:"',
    change: { until: '2.7' },
  },
  {
    says: /leading zeros in decimal integer literals|invalid decimal literal|invalid token/,
    line: /\b0[0-7]+\b|\d+[lL]\b/,
    what: 'an integer as Python 2 writes it',
    change: { until: '2.7' },
  },
  {
    says: /invalid syntax/,
    line: /^\s*print\s+[^(=\s]/,
    what: '"print x"',
    change: { until: '2.7' },
  },
  {
    says: /invalid syntax/,
    line: /^\s*except\s+[\w.]+\s*,\s*\w+\s*:/,
    what: '"except X, name:"',
    change: { until: '2.7' },
  },
  {
    says: /invalid syntax/,
    line: /^\s*raise\s+\w+\s*,/,
    what: '"raise X, text"',
    change: { until: '2.7' },
  },
  {
    says: /invalid syntax/,
    line: /\bur["']/,
    what: 'a string marked "ur"',
    change: { until: '2.7' },
  },
  {
    says: /invalid syntax/,
    line: /\b(?:def|import|as|from)\s+\.?async\b|[(,]\s*async\s*=|\.async\b/,
    what: '"async" as a name',
    change: { until: '3.6' },
  },
  { says: /invalid syntax/, line: /:=/, what: 'the operator ":="', change: { since: '3.8' } },
  {
    says: /invalid syntax/,
    line: /^\s*(?:match|case)\b.*:/,
    what: 'match',
    change: { since: '3.10' },
  },
  { says: /invalid syntax/, line: /^\s*except\s*\*/, what: '"except*"', change: { since: '3.11' } },
  {
    says: /invalid syntax|expected '\('|expected ':'/,
    line: /^\s*(?:(?:async\s+)?def|class)\s+\w+\s*\[|^\s*type\s+\w+.*=/,
    what: 'type parameters',
    change: { since: '3.12' },
  },
  {
    says: /f-string: (?:expecting '}'|unmatched|unterminated|expression part cannot include)/,
    what: 'quotes or a backslash inside an f-string',
    change: { since: '3.12' },
  },
  {
    says: /invalid syntax/,
    line: /^\s*with\s*\($/,
    what: 'with and parentheses',
    change: { since: '3.10' },
  },
  {
    says: /positional-only|invalid syntax/,
    line: /def .*[(,]\s*\/\s*[,)]/,
    what: 'positional-only parameters',
    change: { since: '3.8' },
  },
];

/** Errors at run time that come from a feature of a later or earlier version. */
export const RUNTIME: readonly {
  readonly says: RegExp;
  readonly what: string;
  readonly change: Change;
}[] = [
  {
    says: /^'(?:type|ABCMeta|builtin_function_or_method)' object is not subscriptable$/,
    what: 'types such as list[int]',
    change: { since: '3.9' },
  },
  {
    says: /unsupported operand type\(s\) for \|: '(?:type|NoneType|ABCMeta|_GenericAlias|_UnionGenericAlias)' and /,
    what: 'types such as X | None',
    change: { since: '3.10' },
  },
  {
    says: /^unsupported operand type\(s\) for \|=?: 'dict' and 'dict'$/,
    what: 'the operator | between dicts',
    change: { since: '3.9' },
  },
  {
    says: /^'str' object has no attribute 'remove(?:prefix|suffix)'$/,
    what: 'str.removeprefix and str.removesuffix',
    change: { since: '3.9' },
  },
  {
    says: /^dataclass\(\) got an unexpected keyword argument '(?:slots|kw_only)'$/,
    what: 'dataclasses with slots or kw_only',
    change: { since: '3.10' },
  },
  {
    says: /^zip\(\) takes no keyword arguments$/,
    what: 'zip(strict=...)',
    change: { since: '3.10' },
  },
  {
    says: /^name '(?:unicode|xrange|raw_input|basestring|unichr|reduce|long)' is not defined$/,
    what: 'a name of Python 2',
    change: { until: '2.7' },
  },
  {
    says: /^name '(?:ExceptionGroup|BaseExceptionGroup)' is not defined$/,
    what: 'exception groups',
    change: { since: '3.11' },
  },
  {
    says: /^'(?:dict|OrderedDict)' object has no attribute '(?:has_key|iteritems|itervalues|iterkeys)'$/,
    what: 'a method of dicts of Python 2',
    change: { until: '2.7' },
  },
  {
    says: /^'EntryPoints' object has no attribute 'get'$/,
    what: 'entry points as a dict',
    change: { until: '3.11' },
  },
  {
    says: /^'RawConfigParser' object has no attribute 'readfp'|'ConfigParser' object has no attribute 'readfp'$/,
    what: 'ConfigParser.readfp',
    change: { until: '3.11' },
  },
  {
    says: /^'HTMLParser' object has no attribute 'unescape'$/,
    what: 'HTMLParser.unescape',
    change: { until: '3.8' },
  },
];
