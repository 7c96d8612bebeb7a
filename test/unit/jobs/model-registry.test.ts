import { describe, expect, it } from 'vitest';
import { ModelRegistry } from '../../../src/jobs/model-registry.ts';
import { profileOf } from '../../support/profile.ts';

describe('ModelRegistry', () => {
  it('tells what a new set of profiles has added, removed and changed', () => {
    const models = new ModelRegistry([profileOf('kept'), profileOf('edited'), profileOf('gone')]);
    const changes = models.replace([
      profileOf('new'),
      profileOf('kept'),
      profileOf('edited', { model: '/elsewhere/edited.onnx' }),
    ]);
    expect(changes).toEqual({ added: ['new'], removed: ['gone'], changed: ['edited'] });
    expect(models.all.map(({ name }) => name)).toEqual(['new', 'kept', 'edited']);
    expect(models.get('edited')?.model).toBe('/elsewhere/edited.onnx');
    expect(models.get('gone')).toBeUndefined();
  });

  it('keeps the object of a profile that is as it was, so that whoever holds it can tell', () => {
    const models = new ModelRegistry([profileOf('kept'), profileOf('edited')]);
    const [kept, edited] = models.all;
    models.replace([profileOf('kept'), profileOf('edited', { file: '/elsewhere/profile.yaml' })]);
    expect(models.get('kept')).toBe(kept);
    expect(models.get('edited')).not.toBe(edited);
  });
});
