import { describe, expect, it } from 'vitest';
import { memoryTree } from '../source-tree.ts';
import { containerPackages } from './container-packages.ts';
import { readImage } from './container-image.ts';

const found = (text: string) => {
  const tree = memoryTree({ Dockerfile: `FROM python:3.12 AS app\n${text}\n` });
  const image = readImage(tree, 'Dockerfile', '');
  if (image === undefined) throw new Error('no image');
  return containerPackages(image);
};
const names = (text: string) => found(text).value.map(({ name }) => name);

describe('containerPackages', () => {
  it('finds what is installed to run, with its line', () => {
    const text = `WORKDIR /app
RUN apt-get update \\
    && apt-get install -y --no-install-recommends \\
        # reads text
        tesseract-ocr tesseract-ocr-deu \\
        libmagic1=1:5.44* ffmpeg/bookworm libgdal32:amd64 \\
    && rm -rf /var/lib/apt/lists/*`;
    expect(found(text).value).toEqual([
      { name: 'tesseract-ocr', evidence: 'Dockerfile:3' },
      { name: 'tesseract-ocr-deu', evidence: 'Dockerfile:3' },
      { name: 'libmagic1', evidence: 'Dockerfile:3' },
      { name: 'ffmpeg', evidence: 'Dockerfile:3' },
      { name: 'libgdal32', evidence: 'Dockerfile:3' },
    ]);
  });

  it.each([
    'build-essential',
    'gcc',
    'g++',
    'gcc-12',
    'libpq-dev',
    'pkg-config',
    'cmake',
    'git',
    'curl',
    'wget',
    'nano',
    'vim',
    'netcat-openbsd',
    'procps',
    'python3-pip',
    'python3',
    'nodejs',
    'npm',
    'nginx',
    'postgresql',
    'postgresql-client',
    'redis-server',
    'supervisor',
    'cron',
    'locales',
    'tzdata',
    'ca-certificates',
    'gosu',
    'tini',
    'openssh-client',
    'libpython3.11',
  ])('leaves out %s', (name) => {
    expect(names(`RUN apt-get install -y ${name}`)).toEqual([]);
  });

  it.each([
    ['RUN apt-get -qq -y install ffmpeg', ['ffmpeg']],
    ['RUN apt install ffmpeg -y', ['ffmpeg']],
    ['RUN apt-get update; apt-get install -y -t bookworm-backports ffmpeg', ['ffmpeg']],
    ['RUN DEBIAN_FRONTEND=noninteractive apt-get install -y ffmpeg', ['ffmpeg']],
    ['RUN --mount=type=cache,target=/var/cache/apt apt-get install -y ffmpeg', ['ffmpeg']],
    ['RUN sudo apt-get install -y ffmpeg', ['ffmpeg']],
    ['RUN <<EOF\nset -e\napt-get install -y ffmpeg\nEOF', ['ffmpeg']],
    ['RUN ["apt-get", "install", "-y", "ffmpeg"]', ['ffmpeg']],
    ['RUN install_packages ffmpeg', ['ffmpeg']],
    ['RUN if true; then apt-get install -y ffmpeg; fi', ['ffmpeg']],
    ['RUN apk add ffmpeg', []],
    ['RUN apt-get update', []],
    ['RUN pip install ffmpeg', []],
    ['RUN apt-get install -y $(cat packages.txt) ffmpeg', ['ffmpeg']],
    ['RUN xargs apt-get install -y < packages.txt', []],
    ['RUN apt-get install -y ./own.deb https://example.org/x.deb', []],
    ['# RUN apt-get install -y ffmpeg', []],
    ['RUN apt-get install -y ffmpeg Bad_Name UPPER', ['ffmpeg']],
  ])('%j', (text, wanted) => {
    expect(names(text)).toEqual(wanted);
  });

  it('fills in variables, and knows those of what is needed to build', () => {
    const text = `ARG MORE="ffmpeg libmagic1"
RUN RUN_DEPS="tidy" && BUILD_DEPS="bison libfoo" && apt-get install -y $RUN_DEPS \${MORE} $BUILD_DEPS $UNKNOWN`;
    expect(names(text)).toEqual(['tidy', 'ffmpeg', 'libmagic1']);
  });

  it('forgets what is taken away again', () => {
    const text = `RUN apt-get install -y ffmpeg tidy
RUN apt-get purge -y --auto-remove tidy`;
    expect(names(text)).toEqual(['ffmpeg']);
  });

  it('says what is large instead of installing it', () => {
    const { value, findings } = found('RUN apt-get install -y texlive-latex-base chromium tidy');
    expect(value).toEqual([{ name: 'tidy', evidence: 'Dockerfile:2' }]);
    expect(findings.map((one) => one.value)).toEqual([
      'without texlive-latex-base',
      'without chromium',
    ]);
  });

  it('looks at the stages that it copies from, as far as they run Python', () => {
    const tree = memoryTree({
      Dockerfile: `FROM node:22 AS front
RUN apt-get install -y tidy
FROM python:3.12 AS build
RUN apt-get install -y libsomething1
FROM python:3.12
RUN apt-get install -y ffmpeg
COPY --from=front /a /a
COPY --from=build /b /b
`,
    });
    const image = readImage(tree, 'Dockerfile', '');
    const all = image ? containerPackages(image).value.map(({ name }) => name) : [];
    expect(all).toEqual(['libsomething1', 'ffmpeg']);
  });
});
