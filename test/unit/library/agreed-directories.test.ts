import { expect, it } from 'vitest';
import { agreedDirectories } from '../../../src/library/agreed-directories.ts';
import type { NameCase } from '../../../src/library/library-options.ts';

const path = (text: string) => text.split('/').map((name) => ({ name, sortKey: `key of ${name}` }));
const spelled = (wanted: readonly string[], asked: string, nameCase: NameCase = 'merge') =>
  agreedDirectories(
    wanted.map(path),
    nameCase,
  )(path(asked))
    .map(({ name }) => name)
    .join('/');

it('a directory is spelled as most tracks spell it, whoever comes first', () => {
  const wanted = ['BJÖRK/Post', 'Björk/post', 'Björk/Post'];
  for (const order of [wanted, wanted.toReversed()])
    for (const asked of wanted) expect(spelled(order, asked)).toBe('Björk/Post');
});

it('of equals the lowest bytes are taken', () => {
  expect(spelled(['abba', 'ABBA'], 'abba')).toBe('ABBA');
  expect(spelled(['ABBA', 'abba'], 'ABBA')).toBe('ABBA');
});

it('each level is spelled for itself, and one name in two places twice', () => {
  const wanted = ['A/live', 'a/live', 'a/live', 'B/LIVE', 'B/LIVE', 'B/Live'];
  expect([spelled(wanted, 'A/live'), spelled(wanted, 'B/Live')]).toEqual(['a/live', 'B/LIVE']);
});

it('the key that orders it comes from a track that spells it so', () => {
  const [only] = agreedDirectories(['x', 'X', 'x'].map(path), 'merge')(path('X'));
  expect(only).toEqual({ name: 'x', sortKey: 'key of x' });
});

it('a path that nobody wants stays as it is', () => {
  expect(spelled(['A/B'], 'C/d')).toBe('C/d');
});

it('where cases are told apart each spelling is a directory of its own', () => {
  const wanted = ['BJÖRK/Post', 'Björk/post', 'Björk/Post'];
  for (const asked of wanted) expect(spelled(wanted, asked, 'sensitive')).toBe(asked);
});
