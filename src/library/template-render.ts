// From a parsed template and the facts of one track to path components. A pure function: the same facts always give
// the same path. Who wants to know how the path came about hands in a list that takes the notes (render-notes.ts).
import { cleanValue, finishName } from './names.ts';
import { extensionOf } from './real-path.ts';
import { noteFinished, noteReplaced, type RenderNote, type Substitute } from './render-notes.ts';
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
  /** The component shows the album's name. */
  readonly isAlbum: boolean;
}

/** Text of a value, already harmless, and whether its "/" separate components. */
interface Piece {
  readonly shown: string;
  readonly sorted: string;
  readonly isSeparating: boolean;
  readonly isAlbum: boolean;
}

type Notes = RenderNote[] | null;

/**
 * The components of the track's path, the file's last, ending in its extension. Never empty. `notes` is given what was
 * missing, replaced and cut.
 */
export function renderTemplate(
  template: Template,
  facts: RenderFacts,
  notes: Notes = null,
): readonly RenderedComponent[] {
  const raw: RawComponent[] = [{ shown: '', sorted: '', isAlbum: false }];
  for (const piece of renderParts(template.parts, facts, notes)) {
    // The sorted text has as many separators as the shown one, or the value is no path.
    const shown = piece.isSeparating ? piece.shown.split('/') : [piece.shown];
    const sorted = piece.isSeparating ? piece.sorted.split('/') : [piece.sorted];
    for (const [index, text] of shown.entries()) {
      if (index > 0) raw.push({ shown: '', sorted: '', isAlbum: false });
      const component = raw.at(-1);
      if (component === undefined) continue;
      component.shown += text;
      component.sorted += sorted[index] ?? text;
      component.isAlbum ||= piece.isAlbum;
    }
  }
  return finishComponents(raw, facts, notes);
}

interface RawComponent {
  shown: string;
  sorted: string;
  isAlbum: boolean;
}

function finishComponents(
  raw: readonly Readonly<RawComponent>[],
  facts: RenderFacts,
  notes: Notes,
): readonly RenderedComponent[] {
  const format = extensionOf(facts.track.realPath);
  const extension = format === '' ? '' : `.${cleanValue(format, facts.options)}`;
  const profile = facts.options.names;
  const finished = (text: string, end: string, { sorted, isAlbum }: Readonly<RawComponent>) => {
    const name = finishName(text, profile, end);
    if (notes !== null) noteFinished(notes, text, name, profile, end);
    return { name, sortText: sorted.trim(), isAlbum };
  };
  const directories = raw
    .slice(0, -1)
    .filter(({ shown }) => shown.trim() !== '')
    .map((component) => finished(component.shown, '', component));
  const last = raw.at(-1) ?? { shown: '', sorted: '', isAlbum: false };
  const stem = last.shown.endsWith(extension)
    ? last.shown.slice(0, last.shown.length - extension.length)
    : last.shown;
  return [...directories, finished(`${stem.trimEnd()}${extension}`, extension, last)];
}

function renderParts(parts: readonly TemplatePart[], facts: RenderFacts, notes: Notes): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const part of parts) {
    switch (part.type) {
      case 'text':
        pieces.push(templateText(part.text, facts, notes));
        break;
      case 'section':
        pieces.push(...renderSection(part.parts, facts, notes));
        break;
      case 'choice': {
        const piece = renderChoice(part.alternatives, facts, notes);
        pieces.push(piece ?? defaultPiece(part.alternatives, facts, notes));
        break;
      }
    }
  }
  return pieces;
}

/** The pieces of a section, none when something in it is missing. */
function renderSection(parts: readonly TemplatePart[], facts: RenderFacts, notes: Notes): readonly Piece[] {
  const pieces: Piece[] = [];
  const inner: Notes = notes === null ? null : [];
  const missing: Alternative[] = [];
  for (const part of parts) {
    if (part.type === 'choice') {
      const piece = renderChoice(part.alternatives, facts, inner);
      if (piece === null) missing.push(...part.alternatives);
      else pieces.push(piece);
    } else if (part.type === 'text') {
      pieces.push(templateText(part.text, facts, inner));
    }
  }
  if (missing.length === 0) {
    notes?.push(...(inner ?? []));
    return pieces;
  }
  noteMissing(notes, missing, { type: 'section_dropped' });
  return [];
}

function templateText(text: string, facts: RenderFacts, notes: Notes): Piece {
  const clean = text
    .split('/')
    .map((piece) => cleanValue(piece, facts.options))
    .join('/');
  if (notes !== null) noteReplaced(notes, null, text, clean, facts.options);
  return { shown: clean, sorted: clean, isSeparating: true, isAlbum: false };
}

/** The first alternative that is there, or null. */
function renderChoice(alternatives: readonly Alternative[], facts: RenderFacts, notes: Notes): Piece | null {
  for (const [index, alternative] of alternatives.entries()) {
    const piece =
      alternative.type === 'literal'
        ? pieceOf({ shown: alternative.text, sorted: alternative.text, variable: null }, facts, notes)
        : fieldPiece(alternative.name, alternative.mods, facts, notes);
    if (piece === null) continue;
    const variable = alternative.type === 'literal' ? null : alternative.name;
    noteMissing(notes, alternatives.slice(0, index), { type: 'alternative', variable, text: piece.shown });
    return piece;
  }
  return null;
}

function fieldPiece(
  variable: string,
  mods: readonly Modifier[],
  facts: RenderFacts,
  notes: Notes,
): Piece | null {
  const value = fieldValue(variable, facts);
  const shown = modified(value, mods, facts);
  if (shown === '') return null;
  const isPath = value.isPath === true;
  const sorted = mods.length === 0 && !isPath ? sortNameOf(value, shown, facts.options) : shown;
  const piece = pieceOf({ shown, sorted, variable, isPath }, facts, notes);
  // A value of nothing but unprintable characters is missing too.
  return piece.shown.trim() === '' ? null : piece;
}

function defaultPiece(alternatives: readonly Alternative[], facts: RenderFacts, notes: Notes): Piece {
  let piece: Piece | null = null;
  for (const alternative of alternatives) {
    if (alternative.type === 'literal') continue;
    const text = fieldDefault(alternative.name, facts);
    if (text === '') continue;
    const shown = modified({ values: [text] }, alternative.mods, facts);
    piece = pieceOf({ shown, sorted: shown, variable: alternative.name }, facts, notes);
    break;
  }
  const instead: Substitute = piece === null ? { type: 'nothing' } : { type: 'default', text: piece.shown };
  noteMissing(notes, alternatives, instead);
  return piece ?? { shown: '', sorted: '', isSeparating: false, isAlbum: false };
}

function pieceOf(
  value: { shown: string; sorted: string; variable: string | null; isPath?: boolean },
  facts: RenderFacts,
  notes: Notes,
): Piece {
  const { variable, isPath = false } = value;
  const clean = (text: string): string =>
    isPath
      ? text
          .split('/')
          .map((part) => finishName(cleanValue(part, facts.options), facts.options.names))
          .join('/')
      : cleanValue(text, facts.options);
  const shown = clean(value.shown);
  if (notes !== null) noteReplaced(notes, variable, value.shown, shown, facts.options);
  const isAlbum = variable === 'album' || variable === 'album_sort';
  return { shown, sorted: clean(value.sorted), isSeparating: isPath, isAlbum };
}

function noteMissing(notes: Notes, alternatives: readonly Alternative[], instead: Substitute): void {
  if (notes === null) return;
  for (const alternative of alternatives)
    if (alternative.type === 'field') notes.push({ type: 'missing', variable: alternative.name, instead });
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
