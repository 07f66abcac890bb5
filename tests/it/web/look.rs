//! Pages to look at with one's own eyes.

use std::net::SocketAddr;
use std::time::Duration;

use bonafide::scoring::Level;
use bonafide::session::TenantId;
use bonafide::web::WebOptions;

use super::bench::{MadeUp, PASSWORD, Pages, segment};

/// How long there is to look.
const A_WHILE: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "serves made-up sessions for an hour, to be looked at"]
async fn look_at_the_pages() {
    let listen = SocketAddr::from(([127, 0, 0, 1], 8_099));
    let Some(pages) = Pages::start_with(WebOptions { listen, ..WebOptions::default() }).await else { return };
    let levels = [Level::Alert, Level::Suspicious, Level::Clear, Level::Inconclusive, Level::Clear, Level::Suspicious];
    for (number, level) in (0_u32..24).zip(levels.into_iter().cycle()) {
        let mut made = MadeUp::of(TenantId::default(), &format!("interview-{number}"), level, 60 + number * 97);
        let names = ["Backend engineer, second round", "Data analyst", "", "Head of procurement (DACH)"];
        names[number as usize % 4].clone_into(&mut made.record.display_name);
        made.is_ended = number % 5 != 0;
        pages.keep(made).await;
    }
    let mut long = MadeUp::of(TenantId::default(), "interview-long", Level::Alert, 5_400);
    long.segments = (0..7)
        .map(|n| {
            segment(n + 1, if n == 4 { Level::Alert } else { Level::Suspicious }, 3_600 + n * 240, 3_640 + n * 250)
        })
        .collect();
    pages.keep(long).await;
    println!("http://{} as vera, rita, rolf or adam with {PASSWORD:?}", pages.address);
    tokio::time::sleep(A_WHILE).await;
    pages.stop().await;
}
