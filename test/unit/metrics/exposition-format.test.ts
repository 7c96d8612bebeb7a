import { describe, expect, it } from 'vitest';
import { negotiateFormat } from '../../../src/metrics/exposition-format.ts';

describe('the format of an exposition', () => {
  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['curl', '*/*'],
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8'],
    ['a type that we do not have', 'application/json'],
    ['protobuf alone', 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily'],
    ['Prometheus that is told to use text', 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1'],
    ['OpenMetrics of an old draft', 'application/openmetrics-text;version=0.0.1,text/plain;q=0.5'],
    ['OpenMetrics of a version to come', 'application/openmetrics-text;version=2.0.0'],
    ['OpenMetrics less than text', 'application/openmetrics-text;q=0.3,text/plain;q=0.4'],
    ['both alike', 'application/openmetrics-text,text/plain'],
    ['OpenMetrics not at all', 'application/openmetrics-text;q=0, */*'],
    ['OpenMetrics with a quality that is none', 'application/openmetrics-text;q=high'],
    ['nothing at all', '*/*;q=0'],
    ['halves of ranges', 'application,/openmetrics-text,application/openmetrics-text/x,;q=1,,'],
  ])('is text for %s', (_, accept) => {
    expect(negotiateFormat(accept)).toBe('text');
  });

  it.each([
    [
      'Prometheus 2',
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    ],
    [
      'Prometheus 3',
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
    ],
    [
      'Prometheus 3 with native histograms, which asks for protobuf first',
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
    ],
    ['no version', 'application/openmetrics-text'],
    ['other letters and spaces', 'Application/OpenMetrics-Text ; Version="1.0.0" ; Q=1.0'],
    ['a quoted parameter with a comma', 'text/plain;note="a,b";q=0.1, application/openmetrics-text;q=0.2'],
    ['OpenMetrics by name and the rest by wildcard', 'application/openmetrics-text, */*'],
    ['all of its kind', 'application/*;q=0.5, text/plain;q=0.1'],
  ])('is OpenMetrics for %s', (_, accept) => {
    expect(negotiateFormat(accept)).toBe('openmetrics');
  });
});
