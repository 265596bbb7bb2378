// What a dialog does on the server, and why the last of it was refused.
import { refusalText } from './explain';

export class Tries {
  problem = $state('');

  /** Does something that may be refused. */
  async run(work: () => Promise<void>): Promise<void> {
    this.problem = '';
    try {
      await work();
    } catch (error) {
      this.problem = refusalText(error);
    }
  }
}
