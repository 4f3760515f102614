//! What progenitor makes of `bare.yaml`, for the benchmark alone. Not edited;
//! made again, in a folder of its own, by
//!
//! ```sh
//! cargo install cargo-progenitor --version 0.15.1
//! cargo progenitor --input bare.yaml --output out --name bare --version 0.1.0 --include-client false
//! ```
//!
//! from `out/src/lib.rs`, with this head put on top, and `cargo fmt`.

#[allow(unused_imports)]
pub use progenitor_client::{ByteStream, ClientInfo, Error, ResponseValue};
#[allow(unused_imports)]
use progenitor_client::{ClientHooks, OperationInfo, RequestBuilderExt, encode_path};
/// Types used as operation parameters and responses.
#[allow(clippy::all)]
pub mod types {
    ///`AllOtherCounts`
    #[derive(:: serde :: Deserialize, :: serde :: Serialize, Clone, Debug)]
    pub struct AllOtherCounts {
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub b2b: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub b2ba: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub b2bcn: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub b2bcna: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub b2bdn: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub b2bdna: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub ecom: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub ecoma: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub ttl_cnt: ::std::option::Option<u64>,
        #[serde(flatten)]
        pub extra: ::std::collections::HashMap<::std::string::String, StatusCounts>,
    }

    ///`BusinessError`
    #[derive(:: serde :: Deserialize, :: serde :: Serialize, Clone, Debug, Default)]
    pub struct BusinessError {
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub error_cd: ::std::option::Option<::std::string::String>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub message: ::std::option::Option<::std::string::String>,
    }

    ///`CountGroups`
    #[derive(:: serde :: Deserialize, :: serde :: Serialize, Clone, Debug, Default)]
    pub struct CountGroups {
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub all_oth: ::std::option::Option<AllOtherCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub imp_gds: ::std::option::Option<ImportCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub inv_supp_isd: ::std::option::Option<InputServiceDistributorCounts>,
    }

    ///`ErrorResponse`
    #[derive(:: serde :: Deserialize, :: serde :: Serialize, Clone, Debug, Default)]
    pub struct ErrorResponse {
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub code: ::std::option::Option<i64>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub message: ::std::option::Option<::std::string::String>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub timestamp: ::std::option::Option<i64>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub transaction_id: ::std::option::Option<::std::string::String>,
    }

    ///`ImportCounts`
    #[derive(:: serde :: Deserialize, :: serde :: Serialize, Clone, Debug)]
    pub struct ImportCounts {
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub impg: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub impga: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub impgsez: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub impgseza: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub ttl_cnt: ::std::option::Option<u64>,
        #[serde(flatten)]
        pub extra: ::std::collections::HashMap<::std::string::String, StatusCounts>,
    }

    ///`InputServiceDistributorCounts`
    #[derive(:: serde :: Deserialize, :: serde :: Serialize, Clone, Debug)]
    pub struct InputServiceDistributorCounts {
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub isd: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub isda: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub isdcn: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub isdcna: ::std::option::Option<StatusCounts>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub ttl_cnt: ::std::option::Option<u64>,
        #[serde(flatten)]
        pub extra: ::std::collections::HashMap<::std::string::String, StatusCounts>,
    }

    ///`InvoiceCountData`
    #[derive(:: serde :: Deserialize, :: serde :: Serialize, Clone, Debug, Default)]
    pub struct InvoiceCountData {
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub data: ::std::option::Option<CountGroups>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub error: ::std::option::Option<BusinessError>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub status_cd: ::std::option::Option<::std::string::String>,
    }

    ///`InvoiceCountResponse`
    #[derive(:: serde :: Deserialize, :: serde :: Serialize, Clone, Debug)]
    pub struct InvoiceCountResponse {
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub code: ::std::option::Option<i64>,
        pub data: InvoiceCountData,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub timestamp: ::std::option::Option<i64>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub transaction_id: ::std::option::Option<::std::string::String>,
    }

    ///`StatusCounts`
    #[derive(:: serde :: Deserialize, :: serde :: Serialize, Clone, Debug)]
    pub struct StatusCounts {
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub accept: ::std::option::Option<u64>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub noaction: ::std::option::Option<u64>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub pending: ::std::option::Option<u64>,
        #[serde(skip_serializing_if = "::std::option::Option::is_none")]
        pub reject: ::std::option::Option<u64>,
        #[serde(flatten)]
        pub extra: ::std::collections::HashMap<::std::string::String, u64>,
    }

    ///`TypeOfGoods`
    #[derive(
        :: serde :: Deserialize,
        :: serde :: Serialize,
        Clone,
        Copy,
        Debug,
        Eq,
        Hash,
        Ord,
        PartialEq,
        PartialOrd,
    )]
    pub enum TypeOfGoods {
        #[serde(rename = "others")]
        Others,
        #[serde(rename = "inward_supplies")]
        InwardSupplies,
        #[serde(rename = "imports")]
        Imports,
    }

    impl ::std::fmt::Display for TypeOfGoods {
        fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
            match *self {
                Self::Others => f.write_str("others"),
                Self::InwardSupplies => f.write_str("inward_supplies"),
                Self::Imports => f.write_str("imports"),
            }
        }
    }

    impl ::std::str::FromStr for TypeOfGoods {
        type Err = self::error::ConversionError;
        fn from_str(value: &str) -> ::std::result::Result<Self, self::error::ConversionError> {
            match value {
                "others" => Ok(Self::Others),
                "inward_supplies" => Ok(Self::InwardSupplies),
                "imports" => Ok(Self::Imports),
                _ => Err("invalid value".into()),
            }
        }
    }

    impl ::std::convert::TryFrom<&str> for TypeOfGoods {
        type Error = self::error::ConversionError;
        fn try_from(value: &str) -> ::std::result::Result<Self, self::error::ConversionError> {
            value.parse()
        }
    }

    impl ::std::convert::TryFrom<::std::string::String> for TypeOfGoods {
        type Error = self::error::ConversionError;
        fn try_from(
            value: ::std::string::String,
        ) -> ::std::result::Result<Self, self::error::ConversionError> {
            value.parse()
        }
    }

    /// Error types.
    pub mod error {
        /// Error from a `TryFrom` or `FromStr` implementation.
        pub struct ConversionError(::std::borrow::Cow<'static, str>);
        impl ::std::error::Error for ConversionError {}
        impl ::std::fmt::Display for ConversionError {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> Result<(), ::std::fmt::Error> {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::std::fmt::Debug for ConversionError {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> Result<(), ::std::fmt::Error> {
                ::std::fmt::Debug::fmt(&self.0, f)
            }
        }

        impl From<&'static str> for ConversionError {
            fn from(value: &'static str) -> Self {
                Self(value.into())
            }
        }

        impl From<String> for ConversionError {
            fn from(value: String) -> Self {
                Self(value.into())
            }
        }
    }
}

#[derive(Clone, Debug)]
///Client for Get Invoice Count
///
///Version: 0.1.0
pub struct Client {
    pub(crate) baseurl: String,
    pub(crate) client: reqwest::Client,
}

impl Client {
    /// Create a new client.
    ///
    /// `baseurl` is the base URL provided to the internal
    /// `reqwest::Client`, and should include a scheme and hostname,
    /// as well as port and a path stem if applicable.
    pub fn new(baseurl: &str) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        let client = {
            let dur = ::std::time::Duration::from_secs(15u64);
            reqwest::ClientBuilder::new().connect_timeout(dur).timeout(dur)
        };
        #[cfg(target_arch = "wasm32")]
        let client = reqwest::ClientBuilder::new();
        Self::new_with_client(baseurl, client.build().unwrap())
    }

    /// Construct a new client with an existing `reqwest::Client`,
    /// allowing more control over its configuration.
    ///
    /// `baseurl` is the base URL provided to the internal
    /// `reqwest::Client`, and should include a scheme and hostname,
    /// as well as port and a path stem if applicable.
    pub fn new_with_client(baseurl: &str, client: reqwest::Client) -> Self {
        Self { baseurl: baseurl.to_string(), client }
    }
}

impl ClientInfo<()> for Client {
    fn api_version() -> &'static str {
        "0.1.0"
    }

    fn baseurl(&self) -> &str {
        self.baseurl.as_str()
    }

    fn client(&self) -> &reqwest::Client {
        &self.client
    }

    fn inner(&self) -> &() {
        &()
    }
}

impl ClientHooks<()> for &Client {}
#[allow(clippy::all)]
impl Client {
    ///Sends a `GET` request to `/gst/compliance/tax-payer/invoices/count`
    pub async fn get_invoice_count<'a>(
        &'a self,
        type_of_goods: types::TypeOfGoods,
        x_api_version: Option<&'a str>,
    ) -> Result<ResponseValue<types::InvoiceCountResponse>, Error<types::ErrorResponse>> {
        let url = format!("{}/gst/compliance/tax-payer/invoices/count", self.baseurl,);
        let mut header_map = ::reqwest::header::HeaderMap::with_capacity(2usize);
        header_map.append(
            ::reqwest::header::HeaderName::from_static("api-version"),
            ::reqwest::header::HeaderValue::from_static(Self::api_version()),
        );
        if let Some(value) = x_api_version {
            header_map.append("x-api-version", value.to_string().try_into()?);
        }

        #[allow(unused_mut)]
        let mut request = self
            .client
            .get(url)
            .header(
                ::reqwest::header::ACCEPT,
                ::reqwest::header::HeaderValue::from_static("application/json"),
            )
            .query(&progenitor_client::QueryParam::new("type_of_goods", &type_of_goods))
            .headers(header_map)
            .build()?;
        let info = OperationInfo { operation_id: "get_invoice_count" };
        self.pre(&mut request, &info).await?;
        let result = self.exec(request, &info).await;
        self.post(&result, &info).await?;
        let response = result?;
        match response.status().as_u16() {
            200u16 => ResponseValue::from_response(response).await,
            400u16..=499u16 => Err(Error::ErrorResponse(ResponseValue::from_response(response).await?)),
            500u16..=599u16 => Err(Error::ErrorResponse(ResponseValue::from_response(response).await?)),
            _ => Err(Error::UnexpectedResponse(response)),
        }
    }
}

/// Items consumers will typically use such as the Client.
pub mod prelude {
    #[allow(unused_imports)]
    pub use super::Client;
}
