// What helps to write: a long text that was pasted is offered as a file.
import { fireEvent, render, screen } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import type { Props } from './props';
import { viewWith } from './testing';
import Writing from './Writing.svelte';

test('a long text that was pasted can go along as a file, and out of the question', async () => {
  const onfill = vi.fn();
  const onattach = vi.fn<(file: File) => void>();
  const long = 'ligne $&\n'.repeat(500);
  const rendered = render(Writing, {
    props: {
      client: {} as never,
      view: viewWith(),
      props: { user: { role: 'member' } } as Props,
      asking: () => ({}) as never,
      text: `Résume : ${long}`,
      onfill,
      onleave: () => undefined,
    },
  });
  const component = rendered.component as unknown as {
    offer: (text: string, onattach: (file: File) => void) => void;
  };
  component.offer('short', onattach);
  expect(screen.queryByRole('button', { name: 'Attach as a file' })).toBeNull();

  component.offer(long, onattach);
  await fireEvent.click(await screen.findByRole('button', { name: 'Attach as a file' }));
  const file = onattach.mock.calls[0]?.[0];
  expect([file?.name, file?.size]).toEqual(['pasted text.txt', long.length]);
  expect(onfill).toHaveBeenCalledWith('Résume : ');
  expect(screen.queryByRole('button', { name: 'Attach as a file' })).toBeNull();
});
