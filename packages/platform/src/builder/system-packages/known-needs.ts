// What Python packages need of the system, in Debian's names. One row for each need; what the stack
// has already is not installed again.

export interface KnownNeed {
  /** Normalised names of distributions. */
  readonly python: readonly string[];
  /**
   * `always`: it loads or runs them wherever it came from. `source`: only when it was built here,
   * because its wheels bring them. `maybe`: only some of what it does needs them; said, not installed.
   */
  readonly when: 'always' | 'source' | 'maybe';
  readonly packages: readonly string[];
  /** For building it; never in what the app runs on. */
  readonly build?: readonly string[];
  /** A distribution that brings the library itself: then there is no need. */
  readonly unless?: readonly string[];
  readonly why: string;
}

/** Not a distribution: that the project uses it is seen in its source. */
export const DJANGO_GIS = 'django.contrib.gis';
export const SPATIALITE = 'spatialite';

const PANGO = [
  'libpango-1.0-0',
  'libpangoft2-1.0-0',
  'libpangocairo-1.0-0',
  'libharfbuzz-subset0',
  'libgdk-pixbuf-2.0-0',
];

const need = (
  when: KnownNeed['when'],
  python: string,
  packages: string,
  why: string,
  more: Partial<KnownNeed> = {},
): KnownNeed => ({ when, python: words(python), packages: words(packages), why, ...more });

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** A library that is linked to when it is compiled. */
const linked = (python: string, packages: string, build: string): KnownNeed =>
  need('source', python, packages, 'built from source it links to them', { build: words(build) });

export const KNOWN_NEEDS: readonly KnownNeed[] = [
  // Libraries that are looked for when the module is imported.
  need('always', 'python-magic', 'libmagic1', 'loads libmagic'),
  need('always', 'psycopg', 'libpq5', 'loads libpq', { unless: ['psycopg-binary', 'psycopg-c'] }),
  need('always', `${DJANGO_GIS}`, 'libgdal32 libgeos-c1v5 libproj25', 'loads GDAL, GEOS and PROJ'),
  need('always', SPATIALITE, 'libsqlite3-mod-spatialite', 'the database backend loads SpatiaLite'),
  need('always', 'weasyprint', '', 'loads Pango', { packages: PANGO }),
  need('always', 'cairosvg cairocffi', 'libcairo2', 'loads Cairo'),
  need('always', 'pyzbar', 'libzbar0', 'loads ZBar'),
  need('always', 'pylibdmtx', 'libdmtx0b', 'loads libdmtx'),
  need('always', 'wand', 'libmagickwand-6.q16-6', 'loads ImageMagick'),
  need('always', 'pyvips', 'libvips42', 'loads libvips', { unless: ['pyvips-binary'] }),
  need('always', 'pyenchant', 'libenchant-2-2', 'loads Enchant'),
  need('always', 'opencv-python opencv-contrib-python', 'libgl1 libglib2.0-0', 'links to OpenGL'),
  // Programs without which the package can do nothing.
  need('always', 'ffmpeg-python python-ffmpeg', 'ffmpeg', 'runs ffmpeg'),
  need('always', 'pdf2image', 'poppler-utils', 'runs pdftoppm'),
  need('always', 'pytesseract ocrmypdf', 'tesseract-ocr', 'runs tesseract'),
  need('always', 'ocrmypdf', 'ghostscript', 'runs gs'),
  need('always', 'pdfkit imgkit django-wkhtmltopdf', 'wkhtmltopdf', 'runs wkhtmltopdf'),
  need('always', 'gitpython', 'git', 'cannot be imported without git'),
  need('always', 'python-gnupg', 'gnupg', 'runs gpg'),
  need('always', 'pyexiftool', 'libimage-exiftool-perl', 'runs exiftool'),
  need('always', 'tabula-py', 'default-jre-headless', 'runs Java'),
  // Linked to: these have no wheels, or not for every version.
  linked('psycopg2 psycopg-c', 'libpq5', 'libpq-dev'),
  linked('mysqlclient', 'libmariadb3', 'libmariadb-dev libmariadb-dev-compat'),
  linked('gdal', 'libgdal32', 'libgdal-dev'),
  linked('pycairo', 'libcairo2', 'libcairo2-dev'),
  linked('pygobject', 'libgirepository-1.0-1', 'libgirepository1.0-dev libcairo2-dev'),
  linked('python-ldap', 'libldap-2.5-0 libsasl2-2', 'libldap-dev libsasl2-dev'),
  linked('xmlsec', 'libxmlsec1-openssl', 'libxmlsec1-dev'),
  linked('pyodbc', 'unixodbc', 'unixodbc-dev'),
  linked('pycurl', 'libcurl4', 'libcurl4-openssl-dev'),
  linked('pylibmc', 'libmemcached11', 'libmemcached-dev'),
  linked('pyicu', 'libicu72', 'libicu-dev'),
  linked('pygraphviz', 'graphviz', 'libgraphviz-dev'),
  linked('pyaudio', 'libportaudio2', 'portaudio19-dev'),
  linked('pdftotext', 'libpoppler-cpp0v5', 'libpoppler-cpp-dev'),
  linked('hunspell', 'libhunspell-1.7-0', 'libhunspell-dev'),
  linked('python-snappy', 'libsnappy1v5', 'libsnappy-dev'),
  linked('dbus-python', 'libdbus-1-3 libglib2.0-0', 'libdbus-1-dev libglib2.0-dev'),
  linked('m2crypto', 'libssl3', 'libssl-dev swig'),
  linked('gssapi kerberos', 'libgssapi-krb5-2', 'libkrb5-dev'),
  // Not everybody who installs these uses the part that needs more.
  need('maybe', 'pydub', 'ffmpeg', 'runs ffmpeg for everything but WAV'),
  need('maybe', 'graphviz pydot', 'graphviz', 'runs dot to draw'),
  need('maybe', 'django-dbbackup', 'postgresql-client', 'runs pg_dump'),
  need('maybe', 'selenium', 'chromium-driver', 'drives a browser'),
  need('maybe', 'camelot-py', 'ghostscript', 'runs gs for some tables'),
];
