import { describe, expect, it } from 'vitest';
import { replaceSection } from './page-section.ts';

const PAGE = `# Benchmarks

<!-- one: begin -->

old

<!-- one: end -->

<!-- two: begin -->

kept

<!-- two: end -->
`;

describe('a section of the page', () => {
  it('replaces what lies between its marks and nothing else', () => {
    const page = replaceSection(PAGE, 'one', '\nnew\n');
    expect(page).toBe(PAGE.replace('old', 'new'));
    expect(replaceSection(page, 'one', 'new')).toBe(page);
  });

  it('comes last when the page has none of that name', () => {
    const page = replaceSection(PAGE, 'three', 'added');
    expect(page).toBe(`${PAGE}\n<!-- three: begin -->\n\nadded\n\n<!-- three: end -->\n`);
  });

  it('refuses a page in which one of the marks is missing', () => {
    expect(() => replaceSection(PAGE.replace('<!-- two: end -->', ''), 'two', 'x')).toThrow('two');
    expect(() => replaceSection(PAGE.replace('<!-- two: begin -->', ''), 'two', 'x')).toThrow(
      'two',
    );
  });
});
