//! Something that happens once, and that anybody may wait for.

use tokio::sync::watch;

#[derive(Debug, Default)]
pub(crate) struct Event(watch::Sender<bool>);

impl Event {
    pub(crate) fn happen(&self) {
        self.0.send_replace(true);
    }

    pub(crate) async fn happened(&self) {
        self.0.subscribe().wait_for(|happened| *happened).await.expect("the sender is borrowed");
    }
}
