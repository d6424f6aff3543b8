// Names that well-known libraries took away, from their release notes: a project that still uses one
// needs a version below `below`. Keys are `module` or `module.name`, as the error writes them.

export interface Removal {
  readonly distribution: string;
  /** The first version without it. */
  readonly below: string;
  /** What to use instead, where that is one name. */
  readonly instead?: string;
}

const gone = (
  distribution: string,
  below: string,
  names: Readonly<Record<string, string>>,
): [string, Removal][] =>
  Object.entries(names).map(([name, instead]) => [
    name,
    { distribution, below, ...(instead === '' ? {} : { instead }) },
  ]);

export const REMOVED: Readonly<Record<string, Removal>> = Object.fromEntries([
  ...gone('django', '2.0', {
    'django.core.urlresolvers': 'django.urls',
    'django.utils.encoding.force_unicode': 'force_str',
  }),
  ...gone('django', '3.0', {
    'django.utils.six': 'six',
    'django.utils.lru_cache': 'functools.lru_cache',
    'django.utils._os.abspathu': 'os.path.abspath',
    'django.utils.encoding.python_2_unicode_compatible': '',
    'django.utils.decorators.available_attrs': '',
    'django.utils.safestring.SafeBytes': '',
    'django.shortcuts.render_to_response': 'render',
    'django.contrib.staticfiles.templatetags': 'django.templatetags.static',
    'django.contrib.staticfiles.templatetags.staticfiles': 'django.templatetags.static',
    'django.contrib.admin.templatetags.admin_static': 'django.templatetags.static',
    'django.utils.http.cookie_date': 'http_date',
    'django.db.models.fields.FieldDoesNotExist': 'django.core.exceptions.FieldDoesNotExist',
    'django.test.utils.patch_logger': '',
    'django.test.utils.str_prefix': '',
  }),
  ...gone('django', '4.0', {
    'django.conf.urls.url': 'django.urls.re_path',
    'django.utils.translation.ugettext': 'gettext',
    'django.utils.translation.ugettext_lazy': 'gettext_lazy',
    'django.utils.translation.ugettext_noop': 'gettext_noop',
    'django.utils.translation.ungettext': 'ngettext',
    'django.utils.translation.ungettext_lazy': 'ngettext_lazy',
    'django.utils.encoding.force_text': 'force_str',
    'django.utils.encoding.smart_text': 'smart_str',
    'django.utils.http.is_safe_url': 'url_has_allowed_host_and_scheme',
    'django.utils.http.urlquote': 'urllib.parse.quote',
    'django.utils.http.urlquote_plus': 'urllib.parse.quote_plus',
    'django.utils.http.urlunquote': 'urllib.parse.unquote',
    'django.db.models.NullBooleanField': 'BooleanField(null=True)',
    'django.forms.NullBooleanField': '',
    'django.contrib.postgres.fields.jsonb': 'django.db.models.JSONField',
    'django.utils.text.unescape_entities': 'html.unescape',
    'django.db.models.query.EmptyResultSet': 'django.core.exceptions.EmptyResultSet',
    'django.core.cache.backends.memcached.MemcachedCache': 'PyMemcacheCache',
  }),
  ...gone('django', '5.0', {
    'django.utils.timezone.utc': 'datetime.timezone.utc',
    'django.utils.functional.classproperty': '',
    'django.utils.baseconv': '',
    'django.utils.datetime_safe': 'datetime',
    'django.contrib.gis.admin.OSMGeoAdmin': 'GISModelAdmin',
  }),
  ...gone('django', '5.1', {
    'django.core.files.storage.get_storage_class': 'storages',
    'django.contrib.postgres.fields.CICharField': '',
    'django.contrib.postgres.fields.CIEmailField': '',
    'django.contrib.postgres.fields.CITextField': '',
    'django.contrib.postgres.fields.citext': '',
  }),
  ...gone('flask', '1.0', { 'flask.ext': '', 'flask.exthook': '' }),
  ...gone('flask', '2.0', { 'flask._compat': '' }),
  ...gone('flask', '2.3', {
    'flask._request_ctx_stack': '',
    'flask._app_ctx_stack': '',
    'flask.json.JSONEncoder': 'flask.json.provider.DefaultJSONProvider',
    'flask.helpers.safe_join': 'werkzeug.utils.safe_join',
    'flask.helpers.get_debug_flag': '',
  }),
  ...gone('flask', '3.0', {
    'flask.Markup': 'markupsafe.Markup',
    'flask.escape': 'markupsafe.escape',
  }),
  ...gone('werkzeug', '1.0', {
    'werkzeug.secure_filename': 'werkzeug.utils.secure_filename',
    'werkzeug.cached_property': 'werkzeug.utils.cached_property',
    'werkzeug.FileStorage': 'werkzeug.datastructures.FileStorage',
    'werkzeug.generate_password_hash': 'werkzeug.security.generate_password_hash',
    'werkzeug.check_password_hash': 'werkzeug.security.check_password_hash',
    'werkzeug.contrib': '',
    'werkzeug.contrib.fixers': 'werkzeug.middleware.proxy_fix',
    'werkzeug.contrib.cache': 'cachelib',
  }),
  ...gone('werkzeug', '2.1', {
    'werkzeug.security.safe_str_cmp': 'hmac.compare_digest',
    'werkzeug.wrappers.BaseResponse': 'Response',
    'werkzeug.wrappers.BaseRequest': 'Request',
  }),
  ...gone('werkzeug', '3.0', {
    'werkzeug.urls.url_quote': 'urllib.parse.quote',
    'werkzeug.urls.url_encode': 'urllib.parse.urlencode',
    'werkzeug.urls.url_decode': 'urllib.parse.parse_qs',
    'werkzeug.urls.url_parse': 'urllib.parse.urlsplit',
    'werkzeug.urls.url_unquote': 'urllib.parse.unquote',
    'werkzeug.urls.url_quote_plus': 'urllib.parse.quote_plus',
  }),
  ...gone('jinja2', '3.1', {
    'jinja2.escape': 'markupsafe.escape',
    'jinja2.Markup': 'markupsafe.Markup',
    'jinja2.contextfunction': 'pass_context',
    'jinja2.contextfilter': 'pass_context',
    'jinja2.environmentfilter': 'pass_environment',
    'jinja2.evalcontextfilter': 'pass_eval_context',
    'jinja2.utils.contextfunction': 'pass_context',
  }),
  ...gone('markupsafe', '2.1', { 'markupsafe.soft_unicode': 'soft_str' }),
  ...gone('itsdangerous', '2.1', {
    'itsdangerous.json': 'json',
    'itsdangerous.TimedJSONWebSignatureSerializer': '',
    'itsdangerous.JSONWebSignatureSerializer': '',
  }),
  ...gone('sqlalchemy', '2.0', {
    'sqlalchemy.ext.declarative.clsregistry': '',
    'sqlalchemy.databases': '',
    'sqlalchemy.orm.mapper.mapper': '',
  }),
  ...gone('pydantic', '2.0', {
    'pydantic.utils.validator': '',
    'pydantic.error_wrappers.ErrorWrapper': '',
    'pydantic.fields.ModelField': '',
    'pydantic.fields.Undefined': '',
  }),
  ...gone('celery', '5.0', {
    'celery.task': 'celery.shared_task',
    'celery.decorators': 'celery.shared_task',
    'celery.five': '',
  }),
  ...gone('numpy', '1.24', {
    'numpy.float': 'float',
    'numpy.int': 'int',
    'numpy.bool': 'bool',
    'numpy.object': 'object',
    'numpy.str': 'str',
  }),
  ...gone('numpy', '2.0', { 'numpy.float_': 'float64', 'numpy.NaN': 'nan', 'numpy.unicode_': '' }),
  ...gone('pillow', '10.0', { 'PIL.Image.ANTIALIAS': 'LANCZOS', 'PIL.Image.LINEAR': 'BILINEAR' }),
  ...gone('markdown', '3.0', { 'markdown.util.etree': 'xml.etree.ElementTree' }),
  ...gone('bcrypt', '4.1', { 'bcrypt.__about__': '' }),
  ...gone('scipy', '1.3', { 'scipy.misc.imread': 'imageio.imread' }),
  ...gone('pyjwt', '2.0', { 'jwt.compat': '' }),
  ...gone('aioredis', '2.0', { 'aioredis.create_redis_pool': 'redis.asyncio' }),
  ...gone('djangorestframework', '3.10', {
    'rest_framework.decorators.detail_route': 'action',
    'rest_framework.decorators.list_route': 'action',
  }),
  ...gone('djangorestframework', '3.14', {
    'rest_framework.serializers.NullBooleanField': 'BooleanField',
  }),
  ...gone('setuptools', '81', { pkg_resources: 'importlib.metadata' }),
]);

/** Other words for the same: whole messages, each with the version that still takes the old way. */
export const REFUSED: readonly (Removal & { readonly says: RegExp; readonly what: string })[] = [
  {
    says: /missing 1 required positional argument: 'on_delete'/,
    what: 'a ForeignKey without on_delete',
    distribution: 'django',
    below: '2.0',
    instead: 'on_delete=models.CASCADE',
  },
  {
    says: /unexpected keyword argument 'providing_args'/,
    what: 'Signal(providing_args=...)',
    distribution: 'django',
    below: '4.0',
  },
  {
    says: /invalid attribute\(s\): index_together/,
    what: 'index_together',
    distribution: 'django',
    below: '5.1',
    instead: 'indexes',
  },
  {
    says: /'(?:staticfiles|admin_static)' is not a registered tag library/,
    what: '{% load staticfiles %}',
    distribution: 'django',
    below: '3.0',
    instead: '{% load static %}',
  },
  {
    says: /'django\.db\.backends\.postgresql_psycopg2' isn't an available database backend/,
    what: 'the engine postgresql_psycopg2',
    distribution: 'django',
    below: '3.0',
    instead: 'django.db.backends.postgresql',
  },
  {
    says: /'ifequal'.*(?:Did you forget|Invalid block tag)|Invalid block tag .*'ifequal'/,
    what: '{% ifequal %}',
    distribution: 'django',
    below: '4.0',
    instead: '{% if a == b %}',
  },
  {
    says: /'Flask' object has no attribute 'before_first_request'/,
    what: 'before_first_request',
    distribution: 'flask',
    below: '2.3',
  },
  {
    says: /'(?:Engine|OptionEngine)' object has no attribute 'execute'/,
    what: 'engine.execute()',
    distribution: 'sqlalchemy',
    below: '2.0',
  },
  {
    says: /Textual SQL expression .* should be explicitly declared as text/,
    what: 'SQL as a plain string',
    distribution: 'sqlalchemy',
    below: '2.0',
    instead: 'text(...)',
  },
  {
    says: /`BaseSettings` has been moved to the `pydantic-settings` package/,
    what: 'pydantic.BaseSettings',
    distribution: 'pydantic',
    below: '2.0',
    instead: 'pydantic_settings.BaseSettings',
  },
  {
    says: /`(?:regex|const|min_items|max_items|unique_items)` is removed\. use `\w+` instead/,
    what: 'a keyword of pydantic 1',
    distribution: 'pydantic',
    below: '2.0',
  },
  {
    says: /A non-annotated attribute was detected/,
    what: 'a field without annotation',
    distribution: 'pydantic',
    below: '2.0',
  },
  {
    says: /numpy\.dtype size changed|compiled using NumPy 1\.x cannot be run in/,
    what: 'what another package was compiled for',
    distribution: 'numpy',
    below: '2.0',
  },
  {
    says: /Client\.__init__\(\) got an unexpected keyword argument 'proxies'/,
    what: 'proxies=',
    distribution: 'httpx',
    below: '0.28',
  },
  {
    says: /Client\.__init__\(\) got an unexpected keyword argument 'app'/,
    what: 'Client(app=...)',
    distribution: 'httpx',
    below: '0.28',
  },
];
