// Lets an open list or table grow: the items or rows that did not change keep their nodes.
import type { Token, Tokens } from 'marked';
import { draw } from './draw';
import type { Drawn, DrawOptions } from './draw';

/** What a list or table is besides its parts, and each part, as text that tells them apart. */
interface Shape {
  frame: string;
  parts: string[];
  /** The same block with only the parts from `start` on. */
  from(start: number): Token;
}

function shapeOf(token: Token): Shape | undefined {
  if (token.type === 'list') {
    const list = token as Tokens.List;
    return {
      frame: JSON.stringify([list.ordered, list.start]),
      parts: list.items.map((item) => `${item.loose ? 1 : 0}${item.raw}`),
      from: (start) => ({ ...list, items: list.items.slice(start) }),
    };
  }
  if (token.type === 'table') {
    const table = token as Tokens.Table;
    return {
      frame: JSON.stringify([table.align, table.header.map((cell) => cell.text)]),
      parts: table.rows.map((row) => JSON.stringify(row.map((cell) => cell.text))),
      from: (start) => ({ ...table, rows: table.rows.slice(start) }),
    };
  }
  return undefined;
}

function container(drawn: Drawn): Element | undefined {
  const [root] = drawn.nodes;
  if (!(root instanceof Element)) return undefined;
  return root.matches('ul, ol') ? root : (root.querySelector('tbody') ?? undefined);
}

/** Turns the nodes drawn for `before` into those of `after`; false when it has to be drawn anew. */
export function grow(drawn: Drawn, before: Token, after: Token, options: DrawOptions): boolean {
  const old = before.type === after.type ? shapeOf(before) : undefined;
  const next = shapeOf(after);
  const parent = container(drawn);
  if (!old || !next || !parent || old.frame !== next.frame) return false;
  if (parent.children.length !== old.parts.length) return false;
  const changed = old.parts.findIndex((part, index) => part !== next.parts[index]);
  const kept = changed < 0 ? old.parts.length : changed;
  if (kept === 0) return false;
  const fresh = container(draw(next.from(kept), options));
  for (const part of [...parent.children].slice(kept)) part.remove();
  parent.append(...(fresh?.children ?? []));
  return true;
}
