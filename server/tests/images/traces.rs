//! Images in traces: what is made, kept, shown and removed.

use crate::collector::{Collector, Span};
use crate::files::{encoded, halves};
use crate::harness::World;
use image::ImageFormat;
use reqwest::Method;
use serde_json::Value;

async fn traced(on_s3: bool) {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(folder.path()).await;
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    let world = if on_s3 { World::on_s3(&settings).await } else { World::on_folder(&settings).await };
    let profile = world.profile("u").await;
    for width in [300, 400] {
        world.upload(&profile, encoded(&halves(width, 300), ImageFormat::Jpeg)).await.expect(200);
    }
    world.get(&format!("{profile}/image")).await.expect(200);
    world.request(Method::HEAD, &format!("{profile}/image")).send().await.unwrap();
    world.send(Method::DELETE, &format!("{profile}?purge=true"), &Value::Null).await.expect(204);

    let route = "/v1/tenants/{tenant_name}/profiles/{profile_id}";
    let purge = format!("DELETE {route}");
    let spans = collector.spans_with(1, &purge).await;
    let named = |name: &str| -> Vec<&Span> { spans.iter().filter(|span| span.name == name).collect() };
    let upload = format!("PUT {route}/image");
    for (name, count, parent) in [
        ("make_image_variants", 2, &upload),
        ("put_image", 2, &upload),
        ("delete_image", 1, &upload),
        ("get_image", 1, &format!("GET {route}/image")),
        ("head_image", 1, &format!("HEAD {route}/image")),
        ("erase_images", 1, &purge),
    ] {
        let found = named(name);
        assert_eq!(found.len(), count, "{name}: {spans:#?}");
        let is_client = on_s3 && name != "make_image_variants";
        for span in found {
            assert!(named(parent).iter().any(|parent| parent.id == span.parent_id), "{name} is not below {parent}: {spans:#?}");
            assert_eq!(span.kind, if is_client { "SPAN_KIND_CLIENT" } else { "SPAN_KIND_INTERNAL" }, "{name}");
        }
    }
}

#[tokio::test]
async fn what_images_take_is_told_on_a_folder() {
    traced(false).await;
}

#[tokio::test]
async fn what_images_take_is_told_on_s3() {
    traced(true).await;
}
