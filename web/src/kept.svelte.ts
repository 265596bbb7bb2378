// A list that a person keeps on the server, as a page shows it: what there is, and what went wrong.
import { RequestError } from './chat/socket';

export class Kept<Item> {
  /** Null until it is known. */
  items = $state.raw<readonly Item[] | null>(null);
  problem = $state('');
  isBusy = $state(false);

  constructor(
    private readonly list: () => Promise<readonly Item[]>,
    private readonly explain: (error: RequestError) => string,
  ) {}

  /** Does something, then shows what there is now; says whether it was done. */
  async tried(work: () => Promise<void> = () => Promise.resolve()): Promise<boolean> {
    this.problem = '';
    this.isBusy = true;
    try {
      await work();
      this.items = await this.list();
      return true;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.problem = this.explain(error);
      return false;
    } finally {
      this.isBusy = false;
    }
  }
}
