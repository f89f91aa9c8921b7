/** A status in place of a page's content; its button triggers `act` with the status's action. */
import type { Status } from '../../status';

Component({
  properties: {
    status: { type: Object, value: {} as Status },
  },
  methods: {
    onTap() {
      this.triggerEvent('act', { action: this.data.status.action });
    },
  },
});
