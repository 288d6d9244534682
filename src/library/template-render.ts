// From a parsed template and the facts of one track to path components. A pure function: the same facts always give
// the same path.
import { cleanValue, finishName } from './names.ts';
import { extensionOf } from './real-path.ts';
import { initialOf, moveArticle } from './sort-name.ts';
import { joinNames } from './tag-text.ts';
import type { Alternative, Modifier, Template, TemplatePart } from './template.ts';
import {
  type FieldValue,
  fieldDefault,
  fieldValue,
  type RenderFacts,
  sortNameOf,
} from './template-fields.ts';

/** A finished component and the text that orders it. */
export interface RenderedComponent {
  readonly name: string;
  /** The component as it reads with sort names in the place of names. */
  readonly sortText: string;
}

/** Text of a value, already harmless, and whether its "/" separate components. */
interface Piece {
  readonly shown: string;
  readonly sorted: string;
  readonly isSeparating: boolean;
}

/** The components of the track's path, the file's last, ending in its extension. Never empty. */
export function renderTemplate(template: Template, facts: RenderFacts): readonly RenderedComponent[] {
  const raw: { shown: string; sorted: string }[] = [{ shown: '', sorted: '' }];
  for (const piece of renderParts(template.parts, facts) ?? []) {
    // The sorted text has as many separators as the shown one, or the value is no path.
    const shown = piece.isSeparating ? piece.shown.split('/') : [piece.shown];
    const sorted = piece.isSeparating ? piece.sorted.split('/') : [piece.sorted];
    for (const [index, text] of shown.entries()) {
      if (index > 0) raw.push({ shown: '', sorted: '' });
      const component = raw.at(-1);
      if (component === undefined) continue;
      component.shown += text;
      component.sorted += sorted[index] ?? text;
    }
  }
  return finishComponents(raw, facts);
}

function finishComponents(
  raw: readonly { readonly shown: string; readonly sorted: string }[],
  facts: RenderFacts,
): readonly RenderedComponent[] {
  const format = extensionOf(facts.track.realPath);
  const extension = format === '' ? '' : `.${cleanValue(format, facts.options)}`;
  const last = raw.at(-1) ?? { shown: '', sorted: '' };
  const profile = facts.options.names;
  const directories = raw
    .slice(0, -1)
    .filter(({ shown }) => shown.trim() !== '')
    .map(({ shown, sorted }) => ({ name: finishName(shown, profile), sortText: sorted.trim() }));
  const stem = last.shown.endsWith(extension)
    ? last.shown.slice(0, last.shown.length - extension.length)
    : last.shown;
  const file = finishName(`${stem.trimEnd()}${extension}`, profile, extension);
  return [...directories, { name: file, sortText: last.sorted.trim() }];
}

/** The pieces, or null when something in a section is missing. */
function renderParts(parts: readonly TemplatePart[], facts: RenderFacts, inSection = false): Piece[] | null {
  const pieces: Piece[] = [];
  for (const part of parts) {
    switch (part.type) {
      case 'text':
        pieces.push(templateText(part.text, facts));
        break;
      case 'section':
        pieces.push(...(renderParts(part.parts, facts, true) ?? []));
        break;
      case 'choice': {
        const piece = renderChoice(part.alternatives, facts);
        if (piece === null && inSection) return null;
        pieces.push(piece ?? defaultPiece(part.alternatives, facts));
        break;
      }
    }
  }
  return pieces;
}

function templateText(text: string, facts: RenderFacts): Piece {
  const clean = text
    .split('/')
    .map((piece) => cleanValue(piece, facts.options))
    .join('/');
  return { shown: clean, sorted: clean, isSeparating: true };
}

function renderChoice(alternatives: readonly Alternative[], facts: RenderFacts): Piece | null {
  for (const alternative of alternatives) {
    if (alternative.type === 'literal') return pieceOf(alternative.text, alternative.text, false, facts);
    const value = fieldValue(alternative.name, facts);
    const shown = modified(value, alternative.mods, facts);
    if (shown === '') continue;
    const sorted =
      alternative.mods.length === 0 && value.isPath !== true
        ? sortNameOf(value, shown, facts.options)
        : shown;
    const piece = pieceOf(shown, sorted, value.isPath === true, facts);
    // A value of nothing but unprintable characters is missing too.
    if (piece.shown.trim() !== '') return piece;
  }
  return null;
}

function defaultPiece(alternatives: readonly Alternative[], facts: RenderFacts): Piece {
  for (const alternative of alternatives) {
    if (alternative.type === 'literal') continue;
    const text = fieldDefault(alternative.name, facts);
    if (text === '') continue;
    const shown = modified({ values: [text] }, alternative.mods, facts);
    return pieceOf(shown, shown, false, facts);
  }
  return { shown: '', sorted: '', isSeparating: false };
}

function pieceOf(shown: string, sorted: string, isPath: boolean, facts: RenderFacts): Piece {
  const clean = (text: string): string =>
    isPath
      ? text
          .split('/')
          .map((part) => finishName(cleanValue(part, facts.options), facts.options.names))
          .join('/')
      : cleanValue(text, facts.options);
  return { shown: clean(shown), sorted: clean(sorted), isSeparating: isPath };
}

function modified(value: FieldValue, mods: readonly Modifier[], facts: RenderFacts): string {
  const wantsAll = mods.some((mod) => mod.type === 'all');
  const start = wantsAll ? joinNames(value.values) : (value.values[0] ?? '');
  if (start === '') return '';
  return mods.reduce((text, mod) => applyModifier(text, mod, value, facts), start);
}

function applyModifier(text: string, mod: Modifier, value: FieldValue, facts: RenderFacts): string {
  switch (mod.type) {
    case 'upper':
      return text.toUpperCase();
    case 'lower':
      return text.toLowerCase();
    case 'sort':
      return sortNameOf(value, text, facts.options);
    case 'the':
      return moveArticle(text, facts.options.articles);
    case 'initial':
      return initialOf(sortNameOf(value, text, facts.options));
    case 'ascii':
      return asciiOf(text);
    case 'first':
    case 'all':
      return text;
    case 'pad':
      return text.padStart(mod.length, '0');
    case 'max':
      return [...text].slice(0, mod.length).join('').trimEnd();
  }
}

const asciiLetters: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', ø: 'o', Ø: 'O', đ: 'd', Đ: 'D', ð: 'd', Ð: 'D' },
  ...{ þ: 'th', Þ: 'Th', ł: 'l', Ł: 'L', ı: 'i', '‘': "'", '’': "'", '“': '"', '”': '"', '–': '-', '—': '-' },
  ...{ '…': '...', '‐': '-', '‑': '-' },
};

/** Letters without their accents; what has no ASCII likeness becomes "_". */
function asciiOf(text: string): string {
  return [...text.normalize('NFD').replace(/\p{M}+/gu, '')]
    .map((character) => (character <= '\u007f' ? character : (asciiLetters[character] ?? '_')))
    .join('');
}
