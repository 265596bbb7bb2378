// What helps to write: a long text that was pasted is offered as a file.
import { fireEvent, render, screen } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import type { Props } from './props';
import { viewWith } from './testing';
import Writing from './Writing.svelte';

const LONG = 'ligne $&\n'.repeat(500);

type Attach = (file: File) => Promise<boolean>;

/** Draws it with a long text pasted; `offer` tells of another paste. */
function pasted(): {
  offer: (text: string, onattach: Attach) => void;
  onfill: (t: string) => void;
} {
  const onfill = vi.fn();
  const { component } = render(Writing, {
    props: {
      client: {} as never,
      view: viewWith(),
      props: { user: { role: 'member' } } as Props,
      asking: () => ({}) as never,
      text: `Résume : ${LONG}`,
      onfill,
      onleave: () => undefined,
    },
  });
  const { offer } = component as unknown as { offer: (text: string, onattach: Attach) => void };
  return { offer, onfill };
}

async function attach(): Promise<void> {
  await fireEvent.click(await screen.findByRole('button', { name: 'Attach as a file' }));
}

test('a long text that was pasted can go along as a file, and out of the question', async () => {
  const onattach = vi.fn<Attach>(() => Promise.resolve(true));
  const { offer, onfill } = pasted();
  offer('short', onattach);
  expect(screen.queryByRole('button', { name: 'Attach as a file' })).toBeNull();

  offer(LONG, onattach);
  await attach();
  const file = onattach.mock.calls[0]?.[0];
  expect([file?.name, file?.size]).toEqual(['pasted text.txt', LONG.length]);
  expect(onfill).toHaveBeenCalledWith('Résume : ');
  expect(screen.queryByRole('button', { name: 'Attach as a file' })).toBeNull();
});

test('a long text for which there is no room as a file stays in the question', async () => {
  const answer = Promise.resolve(false);
  const { offer, onfill } = pasted();

  offer(LONG, () => answer);
  await attach();
  await answer;

  expect(onfill).not.toHaveBeenCalled();
  expect(screen.queryByRole('button', { name: 'Attach as a file' })).toBeNull();
});
