/** Which test files come first: those that wait most, so that the others run while they wait. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Projects whose files wait for processes, pages and the times that a running function keeps its keys. */
const waiting = ['own-service', 'browser'];

export class LongWaitsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const waits = ({ project }: TestSpecification): boolean => waiting.includes(project.name);
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))];
  }
}
