// The path template: how tags become a path. Parsed once, when the configuration is read, into a tree; rendering walks
// the tree and never looks at the text again, so that a "$" in a title stays a "$".
//
//   $name            a variable; the longest known name wins
//   ${name:mod:mod}  the same with modifiers
//   ${a|b|'text'}    the first of these that is there
//   <…>              dropped whole when a variable in it is missing; may hold "/", may not hold "<"
//   $$ $< $>         the character itself
//   /                ends a component; everything else stands for itself
import { isFieldName, longestFieldName } from './template-fields.ts';

export type Modifier =
  | { readonly type: 'upper' | 'lower' | 'sort' | 'the' | 'initial' | 'ascii' | 'first' | 'all' }
  | { readonly type: 'pad' | 'max'; readonly length: number };

export type Alternative =
  | { readonly type: 'field'; readonly name: string; readonly mods: readonly Modifier[] }
  | { readonly type: 'literal'; readonly text: string };

export type TemplatePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'choice'; readonly alternatives: readonly Alternative[] }
  | { readonly type: 'section'; readonly parts: readonly TemplatePart[] };

export interface Template {
  readonly source: string;
  readonly parts: readonly TemplatePart[];
}

export type TemplateResult =
  | { readonly type: 'parsed'; readonly template: Template }
  /** `column` counts characters from 1. */
  | { readonly type: 'refused'; readonly column: number; readonly reason: string };

/** Templates that have a name of their own. */
export const templatePresets: Readonly<Record<string, string>> = {
  default: '$album_artist/$album< ($year)> [$format_upper]/$disc_track - <$va_artist - >$title.$format',
  classic: '$artist/$album ($year) [$format_upper]/$track - $title.$format',
  'as-is': '$origin/$real_dir/$stem.$format',
};

/** Parses a template or the name of a preset. What is wrong comes back with its column. */
export function parseTemplate(source: string): TemplateResult {
  const text = Object.hasOwn(templatePresets, source) ? (templatePresets[source] ?? source) : source;
  try {
    const parts = new TemplateReader(text).read();
    if (parts.length === 0) return { type: 'refused', column: 1, reason: 'the template is empty' };
    return { type: 'parsed', template: { source, parts } };
  } catch (error) {
    if (error instanceof TemplateFault)
      return { type: 'refused', column: error.column, reason: error.message };
    throw error;
  }
}

class TemplateFault extends Error {
  readonly column: number;

  constructor(at: number, reason: string) {
    super(reason);
    this.column = at + 1;
  }
}

class TemplateReader {
  private readonly source: string;
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  read(): readonly TemplatePart[] {
    return this.readParts(null);
  }

  /** Parts up to the end, or to the ">" of the section that began at `sectionAt`. */
  private readParts(sectionAt: number | null): readonly TemplatePart[] {
    const parts: TemplatePart[] = [];
    let text = '';
    const endText = () => {
      if (text !== '') parts.push({ type: 'text', text });
      text = '';
    };
    while (this.at < this.source.length) {
      const character = this.source.charAt(this.at);
      const next = this.source.charAt(this.at + 1);
      if (character === '$' && (next === '$' || next === '<' || next === '>')) {
        text += next;
        this.at += 2;
      } else if (character === '$') {
        endText();
        parts.push(next === '{' ? this.readChoice() : this.readVariable());
      } else if (character === '<') {
        if (sectionAt !== null)
          throw new TemplateFault(this.at, 'a section cannot hold another; write "$<" for "<"');
        endText();
        const begin = this.at;
        this.at += 1;
        parts.push({ type: 'section', parts: this.readParts(begin) });
      } else if (character === '>') {
        if (sectionAt === null) throw new TemplateFault(this.at, '">" without a section; write "$>" for ">"');
        endText();
        this.at += 1;
        return parts;
      } else {
        text += character;
        this.at += 1;
      }
    }
    if (sectionAt !== null) throw new TemplateFault(sectionAt, 'the section is not closed with ">"');
    endText();
    return parts;
  }

  private readVariable(): TemplatePart {
    const name = longestFieldName(this.source, this.at + 1);
    if (name === null) {
      const word = /^\w*/.exec(this.source.slice(this.at + 1))?.[0] ?? '';
      throw new TemplateFault(
        this.at,
        word === '' ? '"$" without a name; write "$$" for "$"' : `unknown name "$${word}"`,
      );
    }
    this.at += 1 + name.length;
    return { type: 'choice', alternatives: [{ type: 'field', name, mods: [] }] };
  }

  private readChoice(): TemplatePart {
    const begin = this.at;
    this.at += 2;
    const alternatives: Alternative[] = [];
    for (;;) {
      alternatives.push(this.source.charAt(this.at) === "'" ? this.readLiteral() : this.readField());
      const mark = this.source.charAt(this.at);
      this.at += 1;
      if (mark === '}') return { type: 'choice', alternatives };
      if (mark !== '|') throw new TemplateFault(begin, 'a choice is not closed with "}"');
    }
  }

  private readLiteral(): Alternative {
    const end = this.source.indexOf("'", this.at + 1);
    if (end < 0) throw new TemplateFault(this.at, 'the text is not closed with "\'"');
    const text = this.source.slice(this.at + 1, end);
    this.at = end + 1;
    return { type: 'literal', text };
  }

  private readField(): Alternative {
    const begin = this.at;
    const words = (/^[^|}']*/.exec(this.source.slice(this.at))?.[0] ?? '').split(':');
    const [name = '', ...modWords] = words;
    if (!isFieldName(name)) throw new TemplateFault(begin, `unknown name "${name}"`);
    let at = begin + name.length;
    const mods = modWords.map((word) => {
      const mod = modifierOf(word);
      if (mod === null) throw new TemplateFault(at + 1, `unknown modifier "${word}"`);
      at += 1 + word.length;
      return mod;
    });
    this.at = begin + words.join(':').length;
    return { type: 'field', name, mods };
  }
}

function modifierOf(word: string): Modifier | null {
  switch (word) {
    case 'upper':
    case 'lower':
    case 'sort':
    case 'the':
    case 'initial':
    case 'ascii':
    case 'first':
    case 'all':
      return { type: word };
    default: {
      const match = /^(pad|max)([1-9]\d{0,2})$/.exec(word);
      if (match === null) return null;
      return { type: match[1] === 'pad' ? 'pad' : 'max', length: Number(match[2]) };
    }
  }
}
